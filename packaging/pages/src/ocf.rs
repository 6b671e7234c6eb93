//! The page of a resource agent: the template `ocf_heartbeat.7`, filled in from the agent's tables. The examples and links are
//! in `examples/`, one file for each agent.

use std::{fs, io};

use clap_mangen::roff::{Roff, bold, roman};
use eip::ocf::agent::{ActionSpec, Agent, UNLISTED};
use eip::params::table::Spec;

use crate::{fill, root};

/// The form of the page; what the agent's tables know is between at signs.
const TEMPLATE: &str = include_str!("../ocf_heartbeat.7");
/// The same for the agent that keeps no address.
const HEALTH_TEMPLATE: &str = include_str!("../eip-health.7");

/// Returns the page of an agent.
///
/// # Errors
/// If the agent has no file in `examples/`.
pub(crate) fn page(agent: &Agent) -> io::Result<String> {
    let examples = root().join(format!("packaging/pages/examples/{}.7", agent.name));
    let template = if agent.address.is_empty() { HEALTH_TEMPLATE } else { TEMPLATE };
    let mut page = template.to_owned();
    for action in agent.actions {
        page = fill(&page, action.name, &schedule(action));
    }
    let listed: Vec<&str> = agent.actions.iter().map(|action| action.name).collect();
    for (name, value) in [
        ("TITLE", agent.name.to_ascii_uppercase()),
        ("VERSION", env!("CARGO_PKG_VERSION").to_owned()),
        ("NAME", agent.name.to_owned()),
        ("SHORT", agent.short.to_owned()),
        ("ADVERTISED", listed.join(" | ").replace('-', "\\-")),
        ("LONG", paragraphs(agent.long, "PP")),
        ("PARAMETERS", agent.parameters.iter().map(|spec| parameter(agent, spec)).collect()),
        ("UNADVERTISED", UNLISTED.join(", ")),
        ("EXAMPLES", fs::read_to_string(examples)?),
    ] {
        page = fill(&page, name, &value);
    }
    Ok(page)
}

/// Returns how long an action may take, and how often it runs.
fn schedule(action: &ActionSpec) -> String {
    let interval = action.interval_s.map(|seconds| format!("\nSuggested interval: {seconds} s."));
    format!("Suggested minimum timeout: {} s.{}", action.timeout_s, interval.unwrap_or_default())
}

/// Returns the entry of a parameter, with its facts in parentheses below its description.
fn parameter(agent: &Agent, spec: &Spec) -> String {
    let needed = if spec.required { "required" } else { "optional" };
    let default = match (spec.used, spec.default) {
        (false, _) => "no effect".to_owned(),
        (true, Some(default)) => format!("default {default}"),
        (true, None) => "no default".to_owned(),
    };
    let unique = spec.unique.map_or("", |_| "unique, ");
    let reloadable = if spec.reloadable && spec.used { ", reloadable" } else { "" };
    let facts = format!("({unique}{needed}, {}, {default}{reloadable})", spec.kind.as_str());
    let mut entry = Roff::new();
    entry.control("TP", []).text([bold(spec.name)]);
    format!("{}{}.IP\n{facts}\n", entry.to_roff(), paragraphs(&agent.describes(spec), "IP"))
}

/// Returns text with a macro between its paragraphs. Each sentence begins a line of the source, as troff wants it.
fn paragraphs(text: &str, between: &str) -> String {
    let mut roff = Roff::new();
    for (index, paragraph) in text.split("\n\n").enumerate() {
        if index > 0 {
            roff.control(between, []);
        }
        roff.text([roman(paragraph.replace(". ", ".\n"))]);
    }
    roff.to_roff()
}
