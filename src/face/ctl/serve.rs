//! Dispatches the command line to a command, and maps the outcome to an exit code.

use std::io::Write as _;

use clap::error::ErrorKind;

use super::call::{Failure, Invocation};
use super::{assign, by_hand, check, command, drill, history, metrics, policy, restore, show, status};
use crate::base::text::one_line;
use crate::face::Call;
use crate::face::call::print;

/// Exit code for invalid usage.
const USAGE: u8 = 2;

/// Runs `eipctl`, or the script that it replaces. Exit codes: 0 success, 1 failure, 2 invalid usage.
pub(in crate::face) fn serve(name: &str, call: Call) -> u8 {
    let is_script = assign::is_script(name);
    let line = if is_script { command::of_assign().bin_name(name.to_owned()) } else { command::command() };
    let matches = match line.try_get_matches_from(&call.arguments) {
        Ok(matches) => matches,
        Err(error) => return not_a_command(name, &error),
    };
    // clap requires a command, unless the name stands for one.
    let command = if is_script { None } else { matches.subcommand() };
    let (command_name, matches) = command.unwrap_or(("assign", &matches));
    let invocation = Invocation::new(name, command_name, matches, call);
    let outcome = match command_name {
        "status" => status::run(&invocation),
        "show" => show::run(&invocation),
        "check" => check::run(&invocation),
        "claim" => by_hand::claim(&invocation),
        "release" => by_hand::release(&invocation),
        "policy" => policy::run(&invocation),
        "history" => history::run(&invocation),
        "metrics" => metrics::run(&invocation),
        "restore" => restore::run(&invocation),
        "drill" => drill::run(&invocation),
        "assign" => assign::run(&invocation),
        // clap accepts only declared commands, so this one is missing from the list above.
        other => Err(Failure::Usage(format!("{other}: no such command"))),
    };
    conclude(name, outcome)
}

/// Prints help or version if requested; reduces a usage error to one line, for scripts and people.
fn not_a_command(name: &str, error: &clap::Error) -> u8 {
    let text = error.render().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return print(&text);
    }
    let lines = text.lines().take_while(|line| !line.starts_with("Usage:"));
    let lines: Vec<&str> = lines.map(str::trim).filter(|line| !line.is_empty()).collect();
    let sentence = lines.join(" ");
    conclude(name, Err(Failure::Usage(sentence.strip_prefix("error: ").unwrap_or(&sentence).to_owned())))
}

/// Reports a failure on one line that begins with the program's name.
fn conclude(name: &str, outcome: Result<(), Failure>) -> u8 {
    let (text, code) = match outcome {
        Ok(()) => return 0,
        Err(Failure::Reported) => return 1,
        Err(Failure::Failed(text)) => (text, 1),
        Err(Failure::Usage(text)) => (text, USAGE),
    };
    // A closed standard error is no reason to panic.
    let _ = writeln!(std::io::stderr(), "{name}: {}", one_line(&text));
    code
}
