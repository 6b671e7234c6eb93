//! The page of `eipctl`, from its command line: the template `eipctl.8` with a part for each subcommand. Options that most
//! subcommands share, which stand under headings of their own, are printed once.

use std::io;

use clap::{Arg, Command};
use clap_mangen::Man;
use eip::face::ctl;

use crate::fill;

const TEMPLATE: &str = include_str!("../eipctl.8");

/// Returns the page.
///
/// # Errors
/// Those of writing, which a `String` in memory does not have.
pub(crate) fn page() -> io::Result<String> {
    let mut command = ctl::command::command()
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .subcommand_value_name("command");
    command.build();
    let mut shared = Command::new(ctl::NAME).disable_help_flag(true).disable_version_flag(true);
    let mut commands = String::new();
    for subcommand in command.get_subcommands() {
        for argument in subcommand.get_arguments().filter(|argument| is_shared(argument)) {
            if shared.get_arguments().all(|known| known.get_id() != argument.get_id()) {
                shared = shared.arg(argument.clone());
            }
        }
        commands += &section(subcommand)?;
    }
    let whole = Man::new(command);
    let head = written(|w| {
        whole.render_name_section(w)?;
        whole.render_synopsis_section(w)?;
        whole.render_description_section(w)
    })?;
    let shared = written(|w| Man::new(shared.clone()).render_options_section(w))?;
    let page = fill(TEMPLATE, "VERSION", env!("CARGO_PKG_VERSION"));
    Ok(fill(&fill(&fill(&page, "HEAD", &head), "COMMANDS", &commands), "SHARED", &shared))
}

/// Returns whether an option stands under a heading, as those do that many subcommands have.
fn is_shared(argument: &Arg) -> bool {
    argument.get_help_heading().is_some()
}

/// Returns what is said of a subcommand: how it is typed, what it does, and its own options.
fn section(subcommand: &Command) -> io::Result<String> {
    let own = subcommand.clone().mut_args(|argument| {
        let hidden = is_shared(&argument);
        argument.hide(hidden)
    });
    let name = own.get_name().to_owned();
    let man = Man::new(own);
    let text = written(|w| {
        man.render_synopsis_section(w)?;
        man.render_description_section(w)?;
        man.render_options_section(w)
    })?;
    Ok(text
        .replace(".SH SYNOPSIS\n", &format!(".SS {name}\n"))
        .replace(".SH DESCRIPTION\n", ".PP\n")
        .replace(".SH OPTIONS\n", ""))
}

/// Returns what a function writes, without trailing blanks and without the definition of the apostrophe that `roff` puts at
/// the head of each part.
fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<String> {
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter(|line| !line.contains(".ds Aq"));
    Ok(lines.map(|line| format!("{}\n", line.trim_end())).collect())
}
