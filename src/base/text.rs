//! Prepares text for log lines, traces and exit reasons: one line of ASCII, limited in length, without secrets.

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Stands for a secret in log lines and traces.
pub(crate) const MASK: &str = "***";

/// Replaces strange characters by Rust escapes.
fn escaped(text: &str, strange: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&strange) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if strange(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    Cow::Owned(line)
}

/// Reduces a text to one line of printable ASCII; other characters become Rust escapes.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |character| !character.is_ascii_graphic() && character != ' ')
}

/// True for characters that a terminal or a line reader acts on instead of showing.
fn is_control(character: char) -> bool {
    // Line and paragraph separators, and overrides of the writing direction.
    let acts = matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    acts || character.is_control()
}

/// Escapes line breaks and control characters; other scripts stay as they are.
pub(crate) fn without_controls(text: &str) -> Cow<'_, str> {
    escaped(text, is_control)
}

/// Escapes control characters in a JSON document as JSON does; its own line breaks stay.
#[cfg(any(feature = "sdk", test))]
pub(crate) fn json_without_controls(document: &str) -> String {
    use std::fmt::Write as _;

    let mut shown = String::with_capacity(document.len());
    for character in document.chars() {
        if is_control(character) && character != '\n' {
            // Writing to a `String` cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Cuts a text to at most `limit` bytes at a character boundary; an ellipsis marks the cut.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut short = String::with_capacity(limit);
    for character in text.chars() {
        if short.len() + character.len_utf8() + 3 > limit {
            break;
        }
        short.push(character);
    }
    short.push_str("...");
    short
}

/// Reduces a text to one line of ASCII of at most `limit` bytes, to quote it in a message.
pub(crate) fn brief(text: &str, limit: usize) -> String {
    cut(&one_line(text), limit)
}

/// Masks the user name and password in every URL of the text, as proxy settings contain them.
pub(crate) fn without_user_info(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split("://");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str("://");
        // The user info ends at the last `@` before the path, the query or the next word.
        let end =
            part.find(|c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace()).unwrap_or(part.len());
        let (authority, rest) = part.split_at(end);
        match authority.rsplit_once('@') {
            Some((_, host)) => masked.extend([MASK, "@", host]),
            None => masked.push_str(authority),
        }
        masked.push_str(rest);
    }
    Cow::Owned(masked)
}

/// Whether the value of this variable must stay out of traces.
///
/// Decided by the words between underscores, because every parameter's variable contains `KEY` inside `RESKEY`. A name
/// that ends in `_FILE` holds a path. The recipient of an alert may be a webhook, whose path is its secret.
///
/// # Source
/// Pacemaker 2.1, `lib/common/alerts.c`: the recipient is in `CRM_alert_recipient` and `CRM_notify_recipient`.
pub(crate) fn names_a_secret(name: &str) -> bool {
    const PARTS: [&str; 5] = ["SECRET", "TOKEN", "PASSW", "CREDENTIAL", "PRIVATEKEY"];
    const WORDS: [&str; 7] = ["KEY", "KEYS", "APIKEY", "AUTHORIZATION", "PASS", "PWD", "RECIPIENT"];
    let name = name.to_ascii_uppercase();
    // PWD is the working directory, not a password.
    if name.ends_with("_FILE") || matches!(name.as_str(), "PWD" | "OLDPWD") {
        return false;
    }
    PARTS.iter().any(|part| name.contains(part)) || name.split('_').any(|word| WORDS.contains(&word))
}

/// Parses a boolean; `None` for any other text.
///
/// Accepts the words of `ocf_is_true` and their opposites, in any case. `ocf_is_true` itself takes everything it does
/// not know for false, even "Yes" and "On"; here a typo in a parameter is reported.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "ja" => Some(true),
        "false" | "no" | "off" | "0" | "nein" => Some(false),
        _ => None,
    }
}

/// Parses a whole number of seconds. Only digits: `u64` would also accept a leading plus sign.
pub(crate) fn seconds(text: &str, range: RangeInclusive<u64>) -> Option<Duration> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|seconds| digits && range.contains(seconds)).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_cannot_start_a_second_line() {
        assert_eq!(one_line("a\nb\r\tc\u{1b}[1m \u{e9}"), r"a\nb\r\tc\u{1b}[1m \u{e9}");
        assert_eq!(without_controls("a\nb \u{e9}"), "a\\nb \u{e9}");
        assert_eq!(without_controls("\u{202e}a\u{2028}b"), r"\u{202e}a\u{2028}b");
        assert!(matches!(one_line("as it is"), Cow::Borrowed("as it is")));
    }

    #[test]
    fn a_json_document_without_controls_is_the_same_document() {
        let text = serde_json::to_string_pretty(&["a\u{7f}\u{9b}31m\u{202e}\u{e9}", "\n\u{1b}"]).unwrap();
        let shown = json_without_controls(&text);
        assert_eq!(shown, "[\n  \"a\\u007f\\u009b31m\\u202e\u{e9}\",\n  \"\\n\\u001b\"\n]");
        let both: [Vec<String>; 2] = [text, shown].map(|text| serde_json::from_str(&text).unwrap());
        assert_eq!(both[0], both[1]);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abc...");
        assert_eq!(cut("a\u{e9}\u{e9}\u{e9}", 6), "a\u{e9}...");
    }

    #[test]
    fn passwords_in_urls_are_masked() {
        for (text, masked) in [
            ("http://user:p@ss@proxy:3128/x@y", "http://***@proxy:3128/x@y"),
            ("via https://a:b@c and http://d/e", "via https://***@c and http://d/e"),
            ("http://proxy:3128", "http://proxy:3128"),
            ("user@host", "user@host"),
        ] {
            assert_eq!(without_user_info(text), masked);
        }
    }

    #[test]
    fn variables_with_secrets_are_distinguished_from_parameters_and_paths() {
        for name in [
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID",
            "AWS_SESSION_TOKEN",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            "OCF_RESKEY_password",
            "OCF_RESKEY_passwd",
            "DB_PASS",
            "github_token",
            "CRM_alert_recipient",
            "CRM_notify_recipient",
        ] {
            assert!(names_a_secret(name), "{name}");
        }
        for name in [
            "OCF_RESKEY_elastic_ip",
            "OCF_RESKEY_CRM_meta_timeout",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "PWD",
            "HOME",
            "PATH",
        ] {
            assert!(!names_a_secret(name), "{name}");
        }
    }
}
