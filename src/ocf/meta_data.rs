//! The agent's meta-data: the XML that describes its parameters and actions to cluster tools.
//!
//! There are two formats: 1.0, which every tool and schema accepts, and 1.1, which adds what reloading needs, for
//! callers that declare support. Built from constants only, so it works without environment, network or credentials.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::agent::{ActionSpec, Agent};
use crate::params::table::Spec;

/// Renders the agent's meta-data in the format for a caller that speaks this OCF version.
///
/// Without a version, the format is 1.0: `ocf-tester`, crmsh and people at a terminal set none.
pub fn meta_data(agent: &Agent, ra_version: Option<(u32, u32)>) -> String {
    let is_1_1 = ra_version >= Some((1, 1));
    let mut document = Document { xml: Writer::new_with_indent(Vec::new(), b' ', 2), is_1_1 };
    document.agent(agent);
    let mut text = String::from_utf8_lossy(&document.xml.into_inner()).into_owned();
    text.push('\n');
    text
}

/// The XML document under construction.
struct Document {
    xml: Writer<Vec<u8>>,
    /// Whether the format is 1.1.
    is_1_1: bool,
}

impl Document {
    fn agent(&mut self, agent: &Agent) {
        // No encoding: crmsh parses a decoded string, and lxml rejects such a string if its declaration names one.
        self.put(Event::Decl(BytesDecl::new("1.0", None, None)));
        self.put(Event::DocType(BytesText::from_escaped(r#"resource-agent SYSTEM "ra-api-1.dtd""#)));
        let attributes = [("name", agent.name), ("version", env!("CARGO_PKG_VERSION"))];
        self.element("resource-agent", &attributes, |document| {
            document.text("version", &[], if document.is_1_1 { "1.1" } else { "1.0" });
            document.descriptions(&format!("\n{}\n", agent.long), agent.short);
            document.element("parameters", &[], |document| {
                for spec in agent.parameters {
                    document.parameter(agent, spec);
                }
            });
            document.element("actions", &[], |document| {
                for action in agent.actions {
                    document.action(action);
                }
            });
        });
    }

    fn parameter(&mut self, agent: &Agent, spec: &Spec) {
        let mut attributes = vec![("name", spec.name)];
        if self.is_1_1 {
            attributes.extend(spec.unique.map(|group| ("unique-group", group)));
            attributes.push(("reloadable", flag(spec.reloadable)));
        }
        // In both formats: crmsh does not support unique groups.
        attributes.push(("unique", flag(spec.unique.is_some())));
        attributes.push(("required", flag(spec.required)));
        self.element("parameter", &attributes, |document| {
            // pcs shows the description but not the default.
            let default = spec.default.map(|default| format!(" The default is {default}."));
            document.descriptions(&(agent.describes(spec) + &default.unwrap_or_default()), spec.short);
            let mut content = vec![("type", spec.kind.as_str())];
            content.extend(spec.default.map(|default| ("default", default)));
            document.empty("content", &content);
        });
    }

    fn action(&mut self, action: &ActionSpec) {
        if action.since_1_1 && !self.is_1_1 {
            return;
        }
        let timeout = format!("{}s", action.timeout_s);
        let interval = action.interval_s.map(|interval| format!("{interval}s"));
        let mut attributes = vec![("name", action.name), ("timeout", timeout.as_str())];
        if let Some(interval) = &interval {
            attributes.extend([("interval", interval.as_str()), ("depth", "0")]);
        }
        self.empty("action", &attributes);
    }

    fn descriptions(&mut self, long: &str, short: &str) {
        self.text("longdesc", &[("lang", "en")], long);
        self.text("shortdesc", &[("lang", "en")], short);
    }

    fn element(&mut self, name: &str, attributes: &[(&str, &str)], inside: impl FnOnce(&mut Self)) {
        self.put(Event::Start(start(name, attributes)));
        inside(self);
        self.put(Event::End(BytesEnd::new(name)));
    }

    fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.element(name, attributes, |document| document.put(Event::Text(BytesText::new(text))));
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.put(Event::Empty(start(name, attributes)));
    }

    /// Appends an event. Only the underlying writer could fail, and a `Vec` never does.
    fn put(&mut self, event: Event<'_>) {
        let _ = self.xml.write_event(event);
    }
}

fn start<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    BytesStart::new(name).with_attributes(attributes.iter().copied())
}

/// A boolean as the schemas spell it.
fn flag(set: bool) -> &'static str {
    if set { "1" } else { "0" }
}

#[cfg(test)]
mod tests;
