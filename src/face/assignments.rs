//! Interprets a settings file: recognised names with literal values.

use std::collections::BTreeSet;
use std::time::Duration;

use super::shell::{self, Assignment, Expansion};
use crate::base::text::{self, brief};

/// Upper limit for any time setting, in seconds.
const LONGEST: u64 = 3600;

/// Parses `text`, the content of the file at `path`: names and values of the settings in file order; as in a shell, the last one
/// wins. Other names are ignored, with a warning unless they are `needless`. No warning contains a value.
///
/// # Errors
/// A quote that is never closed; a setting whose value requires a shell.
pub fn read(
    path: &str,
    text: &str,
    needless: &[&str],
    is_setting: impl Fn(&str) -> bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<(String, String)>, String> {
    let reading = shell::read(text);
    if let Some(line) = reading.unclosed {
        return Err(format!("{path} line {line}: a quote, bracket or brace opened here is never closed"));
    }
    for line in reading.ignored {
        let why = "not NAME=VALUE, and the file is read, never run";
        warnings.push(format!("{path} line {line} ignored: {why}"));
    }
    let (settings, others): (Vec<_>, Vec<_>) =
        reading.assignments.into_iter().partition(|found| is_setting(&found.name));
    let others = others.into_iter().map(|found| found.name).collect::<BTreeSet<_>>();
    let unknown: Vec<_> = others.into_iter().filter(|name| !needless.contains(&name.as_str())).collect();
    if !unknown.is_empty() {
        warnings.push(format!("{path}: unknown settings ignored: {}", unknown.join(", ")));
    }
    let literal = |Assignment { line, name, value, expansion }| {
        let what = match expansion {
            None => return Ok((name, value)),
            Some(Expansion::Command) => "commands are not run",
            Some(Expansion::Variable) => "variables are not expanded",
        };
        Err(format!("{path} line {line}: {name}: {what}; write the value itself"))
    };
    settings.into_iter().map(literal).collect()
}

/// Parses a whole number of seconds from `least` to an hour.
///
/// # Errors
/// States the accepted range.
pub fn seconds(name: &str, value: &str, least: u64) -> Result<Duration, String> {
    let value = value.trim();
    text::seconds(value, least..=LONGEST).ok_or_else(|| {
        format!("{name}={}: expected a whole number of seconds from {least} to {LONGEST}", brief(value, 32))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/etc/default/elastic-ip";

    fn read(text: &str) -> Result<(String, String), String> {
        let mut warnings = Vec::new();
        let found = super::read(PATH, text, &["PATH"], |name| matches!(name, "A" | "B"), &mut warnings)?;
        let values: Vec<_> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Ok((values.join(" "), warnings.join("\n")))
    }

    #[test]
    fn values_come_in_order_and_what_means_nothing_is_a_warning_without_its_value() {
        let text = "A=1\nPATH=/bin:$PATH\nPASSWORD=hunter2\n. /etc/other\nB='two'\nA=3\ncolour=$(red)\n";
        let (values, warnings) = read(text).unwrap();
        assert_eq!(values, "A=1 B=two A=3");
        assert!(warnings.contains("line 4 ignored: not NAME=VALUE"), "{warnings}");
        assert!(warnings.contains("unknown settings ignored: PASSWORD, colour"), "{warnings}");
        assert!(!warnings.contains("hunter2"), "{warnings}");
    }

    #[test]
    fn a_value_that_only_a_shell_could_find_out_is_refused_with_its_line() {
        for (text, part) in [
            ("\nA=$(cat /etc/ip)", "line 2: A: commands are not run"),
            ("A=`cat /etc/ip`", "line 1: A: commands are not run"),
            ("A=${T:-60}", "line 1: A: variables are not expanded"),
            ("A='203.0.113.10", "line 1: a quote"),
        ] {
            let unusable = read(text).unwrap_err();
            assert!(unusable.contains(part), "{text}: {unusable}");
            assert!(unusable.len() <= 128, "{unusable}");
        }
    }

    #[test]
    fn seconds_are_digits_between_the_least_and_an_hour() {
        assert_eq!(seconds("TIMEOUT", " 60 ", 1), Ok(Duration::from_mins(1)));
        assert_eq!(seconds("VERIFY", "0", 0), Ok(Duration::ZERO));
        for value in ["", "0", "+60", "60s", "3601", "soon"] {
            let unusable = seconds("TIMEOUT", value, 1).unwrap_err();
            assert_eq!(
                unusable,
                format!("TIMEOUT={value}: expected a whole number of seconds from 1 to 3600")
            );
        }
    }
}
