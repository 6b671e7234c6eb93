//! What has to hold for any input.

use std::fmt::Write as _;

use crate::call::{AgentCall, CallOutcome, MEMORY};
use crate::seed::HostileOutcome;

/// What a program that lost its head says.
const LOST: [&str; 8] = [
    "panicked",
    "internal error",
    "RUST_BACKTRACE",
    "overflowed its stack",
    "memory allocation of",
    "stack backtrace",
    "unwrap()",
    "please report",
];
/// A longer line of a log is no line for people.
const LONGEST_LINE: usize = 16 << 10;
/// What Pacemaker keeps of a reason.
const LONGEST_REASON: usize = 128;

/// What may come of a call.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    /// The highest exit code.
    pub codes: i32,
    /// How many lines there may be on standard error.
    pub lines: usize,
    /// What a line of standard error that gives a reason begins with; nothing where it is not an OCF agent.
    pub reason: Option<&'static str>,
}

/// The OCF agents: a reason, and nothing else on standard error where there is a log.
pub const AGENT: Allowed = Allowed { codes: 7, lines: 1, reason: Some("ocf-exit-reason:") };
/// A tool for people: a complaint in a line, and warnings.
pub const TOOL: Allowed = Allowed { codes: 7, lines: 400, reason: None };

/// Returns what it took.
///
/// # Errors
/// What did not hold, with everything that was given and came of it.
pub fn judge(call: &AgentCall, ended: &CallOutcome, allowed: Allowed) -> Result<HostileOutcome, String> {
    let mut wrong = Vec::new();
    if !(0..=allowed.codes).contains(&ended.code) {
        wrong.push(format!("exit code {}", ended.code));
    }
    // By what the machine kept it waiting it may be late.
    if ended.took.saturating_sub(ended.waited) > call.timeout {
        wrong.push(format!(
            "it took {:?} of {:?}, {:?} of them for want of a processor",
            ended.took, call.timeout, ended.waited
        ));
    }
    if ended.peak > MEMORY {
        wrong.push(format!("it had {} KiB", ended.peak / 1024));
    }
    let logs = ended.logs.iter().map(|(path, bytes)| (path.display().to_string(), bytes));
    let outputs = [("stdout".to_owned(), &ended.stdout), ("stderr".to_owned(), &ended.stderr)];
    for (name, bytes) in outputs.into_iter().chain(logs) {
        let Ok(text) = std::str::from_utf8(bytes) else {
            wrong.push(format!("{name} is not UTF-8"));
            continue;
        };
        wrong.extend(
            LOST.iter().filter(|words| text.contains(**words)).map(|words| format!("{words:?} in {name}")),
        );
        if let Some(strange) = text.chars().find(|&character| is_strange(character)) {
            wrong.push(format!("the character {strange:?} in {name}"));
        }
        if let Some(line) = text.lines().find(|line| line.len() > LONGEST_LINE) {
            wrong.push(format!("a line of {} bytes in {name}", line.len()));
        }
    }
    let stderr = String::from_utf8_lossy(&ended.stderr);
    if stderr.lines().count() > allowed.lines {
        wrong.push(format!("{} lines on stderr", stderr.lines().count()));
    }
    if let Some(prefix) = allowed.reason {
        let reasons: Vec<&str> = stderr.lines().filter_map(|line| line.strip_prefix(prefix)).collect();
        if reasons.len() > 1
            || reasons.iter().any(|reason| reason.len() > LONGEST_REASON || !reason.is_ascii())
        {
            wrong.push(format!("the reasons {reasons:?}"));
        }
        if reasons.is_empty() && !stderr.is_empty() {
            wrong.push("something else than a reason on stderr".to_owned());
        }
    }
    if wrong.is_empty() {
        return Ok(HostileOutcome { struck: true, peak: ended.peak, took: ended.took });
    }
    Err(format!("{}\n{}", wrong.join("; "), told(call, ended)))
}

/// Returns whether a terminal or a reader of lines would do something else with a character than show it.
fn is_strange(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        other => other.is_control(),
    }
}

/// Returns what was asked and what came of it.
fn told(call: &AgentCall, ended: &CallOutcome) -> String {
    let short = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).escape_debug().take(1_500).collect::<String>().replace("\\n", "\n")
    };
    let mut text = format!("exit {} after {:?} with {} KiB\n", ended.code, ended.took, ended.peak / 1024);
    let words =
        call.arguments.iter().map(|word| short(word.as_encoded_bytes())).collect::<Vec<_>>().join(" ");
    let _ = writeln!(text, "{} {words}", call.program.display());
    for (name, value) in &call.variables {
        let value: String = short(value.as_encoded_bytes()).chars().take(200).collect();
        let _ = writeln!(text, "  {}={value}", short(name.as_encoded_bytes()));
    }
    for (name, bytes) in [("stdout", &ended.stdout), ("stderr", &ended.stderr)] {
        let _ = writeln!(text, "--- {name} ({} bytes)\n{}", bytes.len(), short(bytes));
    }
    for (path, bytes) in &ended.logs {
        let _ = writeln!(text, "--- {} ({} bytes)\n{}", path.display(), bytes.len(), short(bytes));
    }
    text
}
