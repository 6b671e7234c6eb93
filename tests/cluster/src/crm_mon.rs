//! Reads `crm_mon --output-as=xml`: what one node believes about the cluster.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::error::{Error, Result};

/// A node's view of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The designated controller, if there is one.
    pub dc: Option<String>,
    /// Whether this partition has quorum.
    pub quorum: bool,
    /// All configured nodes.
    pub nodes: Vec<NodeState>,
    /// All resources.
    pub resources: Vec<Resource>,
    /// Failed actions that Pacemaker remembers.
    pub failures: Vec<Failure>,
    /// Fail-counts other than zero: resource, node, count as printed.
    pub fail_counts: Vec<(String, String, String)>,
}

/// One node in a view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeState {
    /// Its name.
    pub name: String,
    /// Whether it is a member and its controller has joined.
    pub online: bool,
    /// Every flag that a healthy node does not have: `standby`, `pending`, `unclean`, ...
    pub flags: Vec<String>,
}

/// One resource in a view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// Its id.
    pub id: String,
    /// `Started`, `Stopped`, `Starting`, ...
    pub role: String,
    /// Every flag that a healthy resource does not have: `blocked`, `failed`, `pending=Monitoring`, ...
    pub flags: Vec<String>,
    /// Where it is active.
    pub nodes: Vec<String>,
}

/// One failed action.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// Resource, action and interval, as `eip_monitor_3000`.
    pub operation: String,
    /// Where it failed.
    pub node: String,
    /// Exit code and reason.
    pub reason: String,
}

const NODE_FLAGS: [&str; 6] = ["standby", "standby_onfail", "maintenance", "pending", "unclean", "shutdown"];
const RESOURCE_FLAGS: [&str; 4] = ["blocked", "failed", "orphaned", "failure_ignored"];

impl Status {
    /// Parses the XML.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when it is not well-formed or is not `crm_mon`'s.
    pub fn parse(xml: &str) -> Result<Self> {
        let mut status = Self::default();
        let mut reader = Reader::from_str(xml);
        let mut path: Vec<String> = Vec::new();
        let mut history_of = String::new();
        loop {
            match reader.read_event().map_err(unreadable)? {
                Event::Start(start) => {
                    status.take(&path, &start, &mut history_of)?;
                    path.push(start.name().as_ref().to_owned());
                }
                Event::Empty(start) => status.take(&path, &start, &mut history_of)?,
                Event::End(_) => drop(path.pop()),
                Event::Eof => break,
                _ => {}
            }
        }
        if status.nodes.is_empty() { Err(unreadable("no nodes in it")) } else { Ok(status) }
    }

    /// Returns a resource by its id.
    #[must_use]
    pub fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }

    fn take(&mut self, path: &[String], start: &BytesStart<'_>, history_of: &mut String) -> Result<()> {
        let attributes = Attributes::of(start)?;
        match (path.last().map_or("", String::as_str), start.name().as_ref()) {
            ("summary", "current_dc") => {
                self.dc = attributes.is("present").then(|| attributes.text("name"));
                self.quorum = attributes.is("with_quorum");
            }
            ("nodes", "node") => self.nodes.push(NodeState {
                name: attributes.text("name"),
                online: attributes.is("online"),
                flags: attributes.set_among(&NODE_FLAGS),
            }),
            (_, "resource") => self.resources.push(attributes.resource()),
            ("resource", "node") => {
                if let Some(resource) = self.resources.last_mut() {
                    resource.nodes.push(attributes.text("name"));
                }
            }
            ("node_history", "node") => *history_of = attributes.text("name"),
            (_, "resource_history") => {
                let count = attributes.text("fail-count");
                if !count.is_empty() && count != "0" {
                    self.fail_counts.push((attributes.text("id"), history_of.clone(), count));
                }
            }
            ("failures", "failure") => self.failures.push(Failure {
                operation: attributes.text("op_key"),
                node: attributes.text("node"),
                reason: format!("{} {}", attributes.text("exitcode"), attributes.text("exitreason"))
                    .trim_end()
                    .into(),
            }),
            _ => {}
        }
        Ok(())
    }
}

/// The attributes of one element.
struct Attributes(Vec<(String, String)>);

impl Attributes {
    fn of(start: &BytesStart<'_>) -> Result<Self> {
        let pairs = start.attributes().map(|attribute| {
            let attribute = attribute.map_err(unreadable)?;
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(unreadable)?;
            Ok((attribute.key.as_ref().to_owned(), value.into_owned()))
        });
        pairs.collect::<Result<_>>().map(Self)
    }

    fn text(&self, name: &str) -> String {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn is(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    fn set_among(&self, names: &[&str]) -> Vec<String> {
        names.iter().filter(|name| self.is(name)).map(ToString::to_string).collect()
    }

    fn resource(&self) -> Resource {
        let mut flags = self.set_among(&RESOURCE_FLAGS);
        let pending = self.text("pending");
        if !pending.is_empty() {
            flags.push(format!("pending={pending}"));
        }
        if !self.is("managed") {
            flags.push("unmanaged".to_owned());
        }
        Resource { id: self.text("id"), role: self.text("role"), flags, nodes: Vec::new() }
    }
}

fn unreadable(why: impl std::fmt::Display) -> Error {
    Error::Unreadable { what: "the XML of crm_mon".to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests;
