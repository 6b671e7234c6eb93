//! The name under which the program was called, which selects the face.

use std::ffi::OsString;
use std::path::Path;

/// First argument of a caller that cannot choose the name: keepalived resolves a link before it runs the target.
const CALLED_AS: &str = "--called-as=";

/// The base name of the program; a name from `--called-as=` replaces the first argument.
pub fn take(arguments: &mut Vec<OsString>) -> String {
    let first = arguments.get(1).and_then(|argument| argument.to_str());
    if let Some(alias) = first.and_then(|first| first.strip_prefix(CALLED_AS)).map(OsString::from) {
        arguments.drain(..2);
        arguments.insert(0, alias);
    }
    let name = arguments.first().map(Path::new).and_then(Path::file_name);
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_last_part_of_the_path_or_what_the_first_argument_gives() {
        for (line, expected, left) in [
            (vec!["/usr/sbin/eip-keepalived", "check"], "eip-keepalived", 2),
            (
                vec!["/usr/lib/ocf/resource.d/heartbeat/eip", "--called-as=eip-keepalived", "check"],
                "eip-keepalived",
                2,
            ),
            (vec!["eip", "monitor", "--called-as=vip"], "eip", 3),
            (vec![], "", 0),
        ] {
            let mut arguments: Vec<OsString> = line.into_iter().map(OsString::from).collect();
            assert_eq!(take(&mut arguments), expected);
            assert_eq!(arguments.len(), left, "{arguments:?}");
        }
    }
}
