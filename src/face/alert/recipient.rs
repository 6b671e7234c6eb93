//! Where a move is announced.

use std::path::PathBuf;

/// The recipient of an alert, as `pcs alert recipient add` sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The system log; also without a recipient.
    Syslog,
    /// A program, with the line as its argument and the fields as variables.
    Command(PathBuf),
    /// A URL that gets the fields as JSON by POST.
    Webhook(http::Uri),
}

impl Recipient {
    /// Parses the value of a recipient.
    ///
    /// # Errors
    /// A sentence with what is expected. It does not repeat a URL, which may contain a secret.
    pub fn parse(value: &str) -> Result<Self, String> {
        if value.is_empty() || value == "syslog" {
            return Ok(Self::Syslog);
        }
        if let Some(path) = value.strip_prefix("command=").map(PathBuf::from) {
            let expected = || format!("recipient {value}: an absolute path expected");
            return path.is_absolute().then_some(Self::Command(path)).ok_or_else(expected);
        }
        match value.parse::<http::Uri>() {
            Ok(url) if url.host().is_some() && matches!(url.scheme_str(), Some("http" | "https")) => {
                Ok(Self::Webhook(url))
            }
            _ => {
                let expected = "syslog, command=/PATH or an http or https URL expected";
                Err(format!("recipient not understood: {expected}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_recipient_is_distinguished_from_the_others() {
        assert_eq!(
            (Recipient::parse(""), Recipient::parse("syslog")),
            (Ok(Recipient::Syslog), Ok(Recipient::Syslog))
        );
        assert_eq!(Recipient::parse("command=/bin/true"), Ok(Recipient::Command("/bin/true".into())));
        let url = "https://hooks.example.com/T0/secret?x=1";
        assert_eq!(Recipient::parse(url), Ok(Recipient::Webhook(url.parse().unwrap())));
        for wrong in
            ["command=true", "ftp://example.com/", "https:///x", "me@example.com", "http://a b", "/bin/true"]
        {
            let error = Recipient::parse(wrong).unwrap_err();
            assert!(error.ends_with("expected") && error.lines().count() == 1, "{error}");
        }
        assert!(!Recipient::parse("ftp://example.com/secret").unwrap_err().contains("secret"));
    }
}
