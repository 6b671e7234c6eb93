//! A stand-in for pcs 0.9, which no distribution includes any more: accepts exactly what pcs 0.9.169 accepted, and translates it for
//! the installed pcs.
//!
//! [`grammar`] parses the commands that the examples use; [`modern`] translates them to pcs 0.11, so that the examples for
//! `CentOS` 7 run on a real cluster too. Commands that create a cluster are checked but not executed: they run where a cluster already
//! exists.

mod forms;
mod grammar;
mod modern;

use std::process::{Command, ExitCode};

use self::grammar::Parsed;

/// The installed pcs, by its path: by name, this stand-in would be found.
const PCS: &str = "/usr/sbin/pcs";

/// Does what `pcs WORDS` of pcs 0.9 would do.
pub fn stand_in(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let parsed = match grammar::parse(&words) {
        Ok(parsed) => parsed,
        Err(why) => return refuse(&words, &why),
    };
    let Parsed { file, command } = parsed;
    let Some(modern) = modern::translate(&command) else {
        println!("pcs 0.9 would do: {}", words.join(" "));
        return ExitCode::SUCCESS;
    };
    let file = file.iter().flat_map(|file| ["-f", file]);
    match Command::new(PCS).args(file).args(&modern).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => refuse(&words, &format!("{PCS}: {error}")),
    }
}

fn refuse(words: &[&str], why: &str) -> ExitCode {
    eprintln!("pcs 0.9: `pcs {}`: {why}", words.join(" "));
    ExitCode::FAILURE
}
