//! One node's view of the cluster: the parts of `crm_mon --output-as=xml` that are used.

use std::collections::BTreeMap;
use std::fmt::{self, Display};

use serde::Deserialize;

use crate::error::{HarnessError, Result};

/// A node's view of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "CrmMonOutput")]
pub struct ClusterStatus {
    /// The designated controller, if there is one.
    pub dc: Option<String>,
    /// True if this partition has quorum.
    pub quorum: bool,
    /// All configured nodes.
    pub nodes: Vec<NodeStatus>,
    /// All resources, those in groups and clones too.
    pub resources: Vec<ResourceStatus>,
    /// Failed actions that Pacemaker remembers.
    pub failures: Vec<FailedAction>,
    /// Fail-counts other than zero: resource, node, count as printed.
    pub fail_counts: Vec<(String, String, String)>,
}

/// One node in a view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "ElementAttributes")]
pub struct NodeStatus {
    /// Its name.
    pub name: String,
    /// True if it is a member and its controller has joined.
    pub online: bool,
    /// What a healthy node is not: `standby`, `pending`, `unclean`, ...
    pub flags: Vec<String>,
}

/// One resource in a view.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "ResourceElement")]
pub struct ResourceStatus {
    /// Its id.
    pub id: String,
    /// `Started`, `Stopped`, `Starting`, ...
    pub role: String,
    /// What a healthy resource is not: `blocked`, `failed`, `pending=Starting`, ...
    pub flags: Vec<String>,
    /// Where it is active.
    pub nodes: Vec<String>,
}

/// One failed action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FailedAction {
    /// Resource, action and interval, as `eip_monitor_3000`.
    #[serde(rename = "@op_key")]
    pub operation: String,
    /// Where it failed.
    #[serde(rename = "@node")]
    pub node: String,
    /// What the agent ended with.
    #[serde(rename = "@exitcode")]
    pub code: String,
    /// What the agent said.
    #[serde(rename = "@exitreason")]
    pub reason: String,
}

#[derive(Deserialize)]
struct CrmMonOutput {
    #[serde(default)]
    summary: StatusSummary,
    nodes: NodeElements,
    #[serde(default)]
    resources: ResourceTree,
    #[serde(default)]
    node_history: NodeHistories,
    #[serde(default)]
    failures: Failures,
}

#[derive(Default, Deserialize)]
struct StatusSummary {
    #[serde(default)]
    current_dc: ElementAttributes,
}

#[derive(Deserialize)]
struct NodeElements {
    node: Vec<NodeStatus>,
}

/// The section `resources`, or what holds resources there.
#[derive(Default, Deserialize)]
struct ResourceTree {
    #[serde(rename = "$value", default)]
    all: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Member {
    Resource(ResourceStatus),
    Group(ResourceTree),
    Clone(ResourceTree),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct ResourceElement {
    #[serde(flatten)]
    attributes: ElementAttributes,
    #[serde(default)]
    node: Vec<NodeStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeHistories {
    node: Vec<NodeHistory>,
}

#[derive(Deserialize)]
struct NodeHistory {
    #[serde(rename = "@name")]
    name: String,
    #[serde(default)]
    resource_history: Vec<ResourceHistory>,
}

#[derive(Deserialize)]
struct ResourceHistory {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@fail-count", default)]
    fail_count: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Failures {
    failure: Vec<FailedAction>,
}

/// The attributes of one element, by their names with an `@` before them.
#[derive(Default, Deserialize)]
#[serde(transparent)]
struct ElementAttributes(BTreeMap<String, String>);

const NODE_FLAGS: [&str; 6] = ["standby", "standby_onfail", "maintenance", "pending", "unclean", "shutdown"];
const RESOURCE_FLAGS: [&str; 4] = ["blocked", "failed", "orphaned", "failure_ignored"];

impl ElementAttributes {
    fn text(&self, name: &str) -> String {
        self.0.get(&format!("@{name}")).cloned().unwrap_or_default()
    }

    fn is(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    fn set_among(&self, names: &[&str]) -> Vec<String> {
        names.iter().filter(|name| self.is(name)).map(ToString::to_string).collect()
    }
}

impl From<ElementAttributes> for NodeStatus {
    fn from(node: ElementAttributes) -> Self {
        Self { name: node.text("name"), online: node.is("online"), flags: node.set_among(&NODE_FLAGS) }
    }
}

impl From<ResourceElement> for ResourceStatus {
    fn from(ResourceElement { attributes, node }: ResourceElement) -> Self {
        let mut flags = attributes.set_among(&RESOURCE_FLAGS);
        let pending = attributes.text("pending");
        // The record of a monitor that has begun can outlive its end when two halves of a cluster merge; whether the controller waits
        // for one, its state tells.
        if !pending.is_empty() && pending != "Monitoring" {
            flags.push(format!("pending={pending}"));
        }
        if !attributes.is("managed") {
            flags.push("unmanaged".to_owned());
        }
        let nodes = node.into_iter().map(|node| node.name).collect();
        Self { id: attributes.text("id"), role: attributes.text("role"), flags, nodes }
    }
}

impl ResourceTree {
    fn into_resources(self) -> Vec<ResourceStatus> {
        let resources = self.all.into_iter().flat_map(|member| match member {
            Member::Resource(resource) => vec![resource],
            Member::Group(members) | Member::Clone(members) => members.into_resources(),
            Member::Other => Vec::new(),
        });
        resources.collect()
    }
}

impl From<CrmMonOutput> for ClusterStatus {
    fn from(document: CrmMonOutput) -> Self {
        let dc = document.summary.current_dc;
        let counts =
            document.node_history.node.into_iter().flat_map(|NodeHistory { name, resource_history }| {
                resource_history.into_iter().map(move |one| (one.id, name.clone(), one.fail_count))
            });
        Self {
            dc: dc.is("present").then(|| dc.text("name")),
            quorum: dc.is("with_quorum"),
            nodes: document.nodes.node,
            resources: document.resources.into_resources(),
            failures: document.failures.failure,
            fail_counts: counts.filter(|(.., count)| !["", "0"].contains(&count.as_str())).collect(),
        }
    }
}

impl ClusterStatus {
    /// Parses the XML.
    pub fn parse(xml: &str) -> Result<Self> {
        quick_xml::de::from_str(xml).map_err(|error| HarnessError::Unreadable {
            what: "the XML of crm_mon".to_owned(),
            why: error.to_string(),
        })
    }

    /// Returns a resource by its id.
    pub fn resource(&self, id: &str) -> Option<&ResourceStatus> {
        self.resources.iter().find(|resource| resource.id == id)
    }
}

impl Display for FailedAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}: {} {}", self.operation, self.node, self.code, self.reason)
    }
}

#[cfg(test)]
pub(super) mod tests;
