//! The agent's meta-data: the XML that describes its parameters and actions to cluster tools.
//!
//! There are two formats: 1.0, which every tool and schema accepts, and 1.1, which adds what reloading needs, for
//! callers that declare support. Built from constants only, so it works without environment, network or credentials.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::agent::{ActionSpec, Agent};
use crate::params::table::Spec;

type Document = Writer<Vec<u8>>;

/// Renders the agent's meta-data in the format for a caller that speaks this OCF version.
///
/// Without a version, the format is 1.0: `ocf-tester`, crmsh and people at a terminal set none.
pub fn meta_data(agent: &Agent, ra_version: Option<(u32, u32)>) -> String {
    let mut document = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Only the underlying writer could fail, and a `Vec` never does.
    let _ = write(&mut document, agent, ra_version >= Some((1, 1)));
    let mut text = String::from_utf8_lossy(&document.into_inner()).into_owned();
    text.push('\n');
    text
}

fn write(document: &mut Document, agent: &Agent, is_1_1: bool) -> io::Result<()> {
    // No encoding: crmsh parses a decoded string, and lxml rejects such a string if its declaration names one.
    document.write_event(Event::Decl(BytesDecl::new("1.0", None, None)))?;
    let doctype = r#"resource-agent SYSTEM "ra-api-1.dtd""#;
    document.write_event(Event::DocType(BytesText::from_escaped(doctype)))?;
    let attributes = [("name", agent.name), ("version", env!("CARGO_PKG_VERSION"))];
    let root = document.create_element("resource-agent").with_attributes(attributes);
    root.write_inner_content(|inside| {
        let version = if is_1_1 { "1.1" } else { "1.0" };
        inside.create_element("version").write_text_content(BytesText::new(version))?;
        describe(inside, &format!("\n{}\n", agent.long), agent.short)?;
        inside.create_element("parameters").write_inner_content(|inside| {
            agent.parameters.iter().try_for_each(|spec| parameter(inside, agent, spec, is_1_1))
        })?;
        let mut actions = agent.actions.iter().filter(|action| is_1_1 || !action.since_1_1);
        inside
            .create_element("actions")
            .write_inner_content(|inside| actions.try_for_each(|spec| action(inside, spec)))?;
        Ok(())
    })?;
    Ok(())
}

fn parameter(document: &mut Document, agent: &Agent, spec: &Spec, is_1_1: bool) -> io::Result<()> {
    let mut attributes = vec![("name", spec.name)];
    if is_1_1 {
        attributes.extend(spec.unique.map(|group| ("unique-group", group)));
        attributes.push(("reloadable", flag(spec.reloadable)));
    }
    // In both formats: crmsh does not support unique groups.
    attributes.push(("unique", flag(spec.unique.is_some())));
    attributes.push(("required", flag(spec.required)));
    document.create_element("parameter").with_attributes(attributes).write_inner_content(|inside| {
        // pcs shows the description but not the default.
        let default = spec.default.map(|default| format!(" The default is {default}."));
        describe(inside, &(agent.describes(spec) + &default.unwrap_or_default()), spec.short)?;
        let content = inside.create_element("content").with_attribute(("type", spec.kind.as_str()));
        content.with_attributes(spec.default.map(|default| ("default", default))).write_empty()?;
        Ok(())
    })?;
    Ok(())
}

fn action(document: &mut Document, action: &ActionSpec) -> io::Result<()> {
    let timeout = format!("{}s", action.timeout_s);
    let mut element = document.create_element("action");
    element = element.with_attributes([("name", action.name), ("timeout", timeout.as_str())]);
    if let Some(interval) = action.interval_s.map(|interval| format!("{interval}s")) {
        element = element.with_attributes([("interval", interval.as_str()), ("depth", "0")]);
    }
    element.write_empty().map(drop)
}

fn describe(document: &mut Document, long: &str, short: &str) -> io::Result<()> {
    for (name, text) in [("longdesc", long), ("shortdesc", short)] {
        let element = document.create_element(name).with_attribute(("lang", "en"));
        element.write_text_content(BytesText::new(text))?;
    }
    Ok(())
}

/// A boolean as the schemas spell it.
fn flag(set: bool) -> &'static str {
    if set { "1" } else { "0" }
}

#[cfg(test)]
mod tests;
