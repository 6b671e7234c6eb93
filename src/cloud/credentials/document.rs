//! Credentials as JSON: the document of an instance role, and the output of a `credential_process`.

use serde::Deserialize;

use crate::cloud::settings::Keys;

/// IAM's limit for the name of a role.
const LONGEST_NAME: usize = 64;

/// The union of both formats; which fields are required differs.
///
/// # Source
/// EC2 User Guide, "Retrieve security credentials from instance metadata"; AWS SDKs and Tools Reference Guide, "Process
/// credential provider".
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CredentialsDocument {
    /// `Success` or the reason for failure; instance role only.
    code: Option<String>,
    message: Option<String>,
    /// Version of the format, always 1; only in the output of a `credential_process`.
    version: Option<u32>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
}

/// Why a document yields no credentials.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CredentialsDocumentError {
    /// Not in the expected format. Never quoted, because it may hold keys.
    Garbled,
    /// The source's own reason.
    Refused(String),
}

impl CredentialsDocument {
    /// Parses the document that instance metadata returns for a role.
    pub(super) fn of_role(text: &str) -> Result<Keys, CredentialsDocumentError> {
        let document: Self = serde_json::from_str(text).map_err(|_| CredentialsDocumentError::Garbled)?;
        match document.code.as_deref() {
            None | Some("Success") => document.keys(true),
            Some(code) => {
                let message = document.message.as_deref().unwrap_or_default();
                Err(CredentialsDocumentError::Refused(
                    format!("{code}: {message}").trim_end_matches(": ").to_owned(),
                ))
            }
        }
    }

    /// Parses the output of a process.
    pub(super) fn of_process(text: &str) -> Result<Keys, CredentialsDocumentError> {
        let document: Self = serde_json::from_str(text).map_err(|_| CredentialsDocumentError::Garbled)?;
        match document.version {
            Some(1) => document.keys(false),
            Some(version) => Err(CredentialsDocumentError::Refused(format!("Version {version}, expected 1"))),
            None => Err(CredentialsDocumentError::Refused("no Version, expected 1".to_owned())),
        }
    }

    fn keys(self, with_token: bool) -> Result<Keys, CredentialsDocumentError> {
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        let token = filled(self.token);
        match (filled(self.access_key_id), filled(self.secret_access_key)) {
            (Some(id), Some(secret)) if token.is_some() || !with_token => Ok(Keys { id, secret, token }),
            _ => Err(CredentialsDocumentError::Garbled),
        }
    }
}

/// Whether a text is a valid role name.
///
/// # Source
/// IAM API Reference, `CreateRole`: upper and lower case letters, digits, and any of `_+=,.@-`; at most 64.
pub(super) fn is_role(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    !text.is_empty() && text.len() <= LONGEST_NAME && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_roles_are_distinguished_from_pages_and_garbage() {
        for name in ["node", "eip-mover_1", "a+b=c,d.e@f"] {
            assert!(is_role(name), "{name}");
        }
        for text in ["", "<html>", "two words", "a\nb", &"x".repeat(65), "\u{fc}"] {
            assert!(!is_role(text), "{text}");
        }
    }

    fn keys(token: Option<&str>) -> Keys {
        Keys { id: "AKID".to_owned(), secret: "secret".to_owned(), token: token.map(str::to_owned) }
    }

    #[test]
    fn a_role_that_ec2_may_not_assume_is_quoted_verbatim() {
        let text = r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role web.",
                       "LastUpdated":"2026-11-28T10:00:00Z"}"#;
        let words = "AssumeRoleUnauthorizedAccess: EC2 cannot assume the role web.";
        assert_eq!(
            CredentialsDocument::of_role(text),
            Err(CredentialsDocumentError::Refused(words.to_owned()))
        );
        let text = r#"{"Code":"Failed"}"#;
        assert_eq!(
            CredentialsDocument::of_role(text),
            Err(CredentialsDocumentError::Refused("Failed".to_owned()))
        );
    }

    #[test]
    fn keys_are_taken_whole_or_not_at_all() {
        let role = r#"{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"AKID","SecretAccessKey":"secret",
                       "Token":"t","Expiration":"2026-11-28T16:00:00Z"}"#;
        assert_eq!(CredentialsDocument::of_role(role), Ok(keys(Some("t"))));
        let process = r#"{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"secret"}"#;
        assert_eq!(CredentialsDocument::of_process(process), Ok(keys(None)));
        let with_token =
            r#"{"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"secret","SessionToken":"t"}"#;
        assert_eq!(CredentialsDocument::of_process(with_token), Ok(keys(Some("t"))));
        for text in ["", "{}", "<html>", r#"{"Code":"Success","AccessKeyId":"AKID","SecretAccessKey":""}"#] {
            assert_eq!(CredentialsDocument::of_role(text), Err(CredentialsDocumentError::Garbled), "{text}");
        }
        // A role's keys are temporary: AWS does not accept them without their token.
        let half = r#"{"Code":"Success","AccessKeyId":"AKID","SecretAccessKey":"secret"}"#;
        assert_eq!(CredentialsDocument::of_role(half), Err(CredentialsDocumentError::Garbled));
        let old = r#"{"Version":2,"AccessKeyId":"AKID","SecretAccessKey":"secret"}"#;
        assert_eq!(
            CredentialsDocument::of_process(old),
            Err(CredentialsDocumentError::Refused("Version 2, expected 1".to_owned()))
        );
        assert_eq!(
            CredentialsDocument::of_process("{\"Version\":1}"),
            Err(CredentialsDocumentError::Garbled)
        );
    }
}
