//! Interprets a settings file: recognised names with literal values.

use std::collections::BTreeSet;
use std::time::Duration;

use super::shell::{self, Assignment, Expansion};
use crate::base::text::brief;

/// Upper limit for any time setting, in seconds.
const LONGEST: u64 = 3600;

/// How the reader of a file treats a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A setting that takes effect.
    Setting,
    /// Needed by older tools only; ignored silently.
    Needless,
    /// Ignored with a warning.
    Unknown,
}

/// The settings of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Names and values in file order; as in a shell, the last one wins.
    pub values: Vec<(String, String)>,
    /// Warnings, one line each, never with a value.
    pub warnings: Vec<String>,
}

/// Why the settings are rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// An unterminated quote, bracket or brace.
    #[error("{path} line {line}: a quote, bracket or brace opened here is never closed")]
    Unclosed {
        /// Path of the settings file.
        path: String,
        /// Line on which it begins, counted from 1.
        line: usize,
    },
    /// The value is a command substitution.
    #[error("{path} line {line}: {name}: commands are not run; write the value itself")]
    Command {
        /// Path of the settings file.
        path: String,
        /// Line of the setting, counted from 1.
        line: usize,
        /// Name of the setting.
        name: String,
    },
    /// The value refers to a variable.
    #[error("{path} line {line}: {name}: variables are not expanded; write the value itself")]
    Variable {
        /// Path of the settings file.
        path: String,
        /// Line of the setting, counted from 1.
        line: usize,
        /// Name of the setting.
        name: String,
    },
    /// Not a valid number of seconds.
    #[error("{name}={value}: expected a whole number of seconds from {least} to {LONGEST}")]
    Seconds {
        /// Name of the setting.
        name: &'static str,
        /// The rejected value, shortened.
        value: String,
        /// Smallest accepted number.
        least: u64,
    },
}

/// Parses `text`, the content of the file at `path`.
///
/// # Errors
/// [`AssignmentError::Unclosed`]; [`AssignmentError::Command`] or [`AssignmentError::Variable`] if a setting's value requires a shell.
pub fn read(path: &str, text: &str, meaning: impl Fn(&str) -> Meaning) -> Result<Found, AssignmentError> {
    let reading = shell::read(text);
    if let Some(line) = reading.unclosed {
        return Err(AssignmentError::Unclosed { path: path.to_owned(), line });
    }
    let mut found = Found::default();
    for line in reading.ignored {
        let why = "not NAME=VALUE, and the file is read, never run";
        found.warnings.push(format!("{path} line {line} ignored: {why}"));
    }
    let mut unknown = BTreeSet::new();
    for assignment in reading.assignments {
        match meaning(&assignment.name) {
            Meaning::Setting => found.values.push(plain(path, assignment)?),
            Meaning::Needless => {}
            Meaning::Unknown => drop(unknown.insert(assignment.name)),
        }
    }
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.into_iter().collect();
        found.warnings.push(format!("{path}: unknown settings ignored: {}", names.join(", ")));
    }
    Ok(found)
}

/// Name and value of an assignment, rejected if only a shell could expand the value.
fn plain(path: &str, found: Assignment) -> Result<(String, String), AssignmentError> {
    let (path, line) = (path.to_owned(), found.line);
    match found.expansion {
        None => Ok((found.name, found.value)),
        Some(Expansion::Command) => Err(AssignmentError::Command { path, line, name: found.name }),
        Some(Expansion::Variable) => Err(AssignmentError::Variable { path, line, name: found.name }),
    }
}

/// Parses a whole number of seconds from `least` to an hour.
///
/// # Errors
/// [`AssignmentError::Seconds`], which states the accepted range.
pub fn seconds(name: &'static str, value: &str, least: u64) -> Result<Duration, AssignmentError> {
    let value = value.trim();
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|seconds| (least..=LONGEST).contains(seconds));
    let wrong = || AssignmentError::Seconds { name, value: brief(value, 32), least };
    number.filter(|_| digits).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/etc/default/elastic-ip";

    fn meaning(name: &str) -> Meaning {
        match name {
            "A" | "B" => Meaning::Setting,
            "PATH" => Meaning::Needless,
            _ => Meaning::Unknown,
        }
    }

    #[test]
    fn values_come_in_order_and_what_means_nothing_is_a_warning_without_its_value() {
        let text = "A=1\nPATH=/bin:$PATH\nPASSWORD=hunter2\n. /etc/other\nB='two'\nA=3\ncolour=$(red)\n";
        let found = read(PATH, text, meaning).unwrap();
        let values: Vec<_> = found.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(values, ["A=1", "B=two", "A=3"]);
        let warnings = found.warnings.join("\n");
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
            let unusable = read(PATH, text, meaning).unwrap_err().to_string();
            assert!(unusable.contains(part), "{text}: {unusable}");
            assert!(unusable.len() <= 128, "{unusable}");
        }
    }

    #[test]
    fn seconds_are_digits_between_the_least_and_an_hour() {
        assert_eq!(seconds("TIMEOUT", " 60 ", 1), Ok(Duration::from_mins(1)));
        assert_eq!(seconds("VERIFY", "0", 0), Ok(Duration::ZERO));
        for value in ["", "0", "+60", "60s", "3601", "soon"] {
            let unusable = seconds("TIMEOUT", value, 1).unwrap_err().to_string();
            assert_eq!(
                unusable,
                format!("TIMEOUT={value}: expected a whole number of seconds from 1 to 3600")
            );
        }
    }
}
