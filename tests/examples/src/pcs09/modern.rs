//! Translates commands of pcs 0.9 to pcs 0.11.

/// The command for pcs 0.11; `None` if it would create a cluster.
pub fn translate(words: &[String]) -> Option<Vec<String>> {
    let text: Vec<&str> = words.iter().map(String::as_str).collect();
    let modern: Vec<&str> = match text.as_slice() {
        ["cluster", "auth" | "setup" | "sync" | "start" | "stop", ..] => return None,
        ["resource", "defaults", values @ ..] => [&["resource", "defaults", "update"], values].concat(),
        ["resource", "show"] => vec!["resource", "status"],
        ["resource", "show", ids @ ..] => [&["resource", "config"], ids].concat(),
        ["stonith", "show", ..] => vec!["stonith", "status"],
        same => same.to_vec(),
    };
    Some(modern.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modern(line: &str) -> Option<String> {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        translate(&words).map(|words| words.join(" "))
    }

    #[test]
    fn what_has_changed_its_name_is_reported_in_the_new_words() {
        let defaults = modern("resource defaults resource-stickiness=100");
        assert_eq!(defaults.as_deref(), Some("resource defaults update resource-stickiness=100"));
        assert_eq!(modern("resource show eip").as_deref(), Some("resource config eip"));
    }

    #[test]
    fn no_cluster_is_made() {
        assert_eq!(modern("cluster setup --name a n1 n2 --start"), None);
        assert_eq!(modern("cluster auth n1 n2 -u hacluster"), None);
    }
}
