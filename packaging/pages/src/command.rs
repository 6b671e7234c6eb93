//! The page of a command with subcommands, from its own command line: one page for all of them.
//!
//! `clap_mangen` makes a page for each subcommand instead, which refer to one another; here options that most subcommands share
//! are printed once.

use clap::{Arg, ArgAction, Command};

use crate::man::Man;

/// What the page of a command says beyond its command line.
#[derive(Debug)]
pub struct Words {
    /// Files: names that belong together are separated by spaces, and what they are for.
    pub files: &'static [(&'static str, &'static str)],
    /// What for, and the commands.
    pub examples: &'static [(&'static str, &'static str)],
    /// Other pages, as they are printed.
    pub see_also: &'static [&'static str],
}

/// Returns the page of a command, section 8.
pub(crate) fn page(command: Command, words: &Words) -> String {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let name = command.get_name().to_owned();
    let mut man = Man::new(&name, "8", "System administration");
    man.section("NAME");
    man.line(&format!("{name} - {}", said(command.get_about())));
    man.section("SYNOPSIS");
    man.line(&format!("`{name}` COMMAND [OPTION]... [ARGUMENT]"));
    man.section("DESCRIPTION");
    man.paragraphs(&said(command.get_long_about()));
    man.section("COMMANDS");
    for subcommand in command.get_subcommands() {
        man.subsection(&synopsis(&name, subcommand));
        man.paragraphs(&said(subcommand.get_long_about()));
        for argument in options(subcommand).filter(|argument| argument.get_help_heading().is_none()) {
            option(&mut man, argument);
        }
    }
    for heading in headings(&command) {
        man.section(&heading.to_uppercase());
        let of_it = |argument: &&Arg| argument.get_help_heading() == Some(heading);
        let having: Vec<&Command> = command
            .get_subcommands()
            .filter(|subcommand| options(subcommand).any(|argument| of_it(&argument)))
            .collect();
        let names: Vec<String> =
            having.iter().map(|subcommand| format!("`{}`", subcommand.get_name())).collect();
        man.line(&format!("Options of {}:", names.join(", ")));
        for argument in having.first().into_iter().flat_map(|subcommand| options(subcommand)).filter(of_it) {
            option(&mut man, argument);
        }
    }
    man.section("EXIT STATUS");
    man.paragraphs(&said(command.get_after_long_help()));
    man.closing(words.files, words.examples, words.see_also);
    man.text()
}

/// Returns what clap was told, as plain text.
fn said(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// Returns the arguments that are worth a line: not the help that each command has.
fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
}

/// Returns the headings that options stand under, each once, in the order in which they come.
fn headings(command: &Command) -> Vec<&str> {
    let mut headings = Vec::new();
    for heading in command.get_subcommands().flat_map(options).filter_map(Arg::get_help_heading) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    headings
}

/// Returns how a subcommand is typed.
fn synopsis(name: &str, subcommand: &Command) -> String {
    let arguments = subcommand.get_positionals().map(|argument| {
        let value = value(argument);
        if argument.is_required_set() { format!(" {value}") } else { format!(" [{value}]") }
    });
    format!("{name} {} [OPTION]...{}", subcommand.get_name(), arguments.collect::<String>())
}

fn option(man: &mut Man, argument: &Arg) {
    let long = argument.get_long().map(|long| format!("`--{long}`"));
    let short = argument.get_short().map(|short| format!("`-{short}`"));
    let mut term = [short, long].into_iter().flatten().collect::<Vec<_>>().join(", ");
    if argument.is_positional() {
        term = value(argument);
    } else if matches!(argument.get_action(), ArgAction::Set | ArgAction::Append) {
        term = format!("{term} {}", value(argument));
    }
    let mut text = said(argument.get_long_help().or(argument.get_help()));
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && matches!(argument.get_action(), ArgAction::Set) {
        text = format!("{text} [default: {}]", defaults.join(" "));
    }
    if !text.ends_with(['.', ']']) {
        text.push('.');
    }
    man.item(&term, &[&text]);
}

/// Returns what stands for the value of an argument.
fn value(argument: &Arg) -> String {
    argument
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}
