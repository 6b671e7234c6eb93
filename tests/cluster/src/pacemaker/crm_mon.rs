//! What one node believes about the cluster: the document that `crm_mon --output-as=xml` prints, as far as it is used.

use serde::Deserialize;

use crate::error::{Error, Result};

/// A node's view of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ClusterStatus {
    #[serde(default)]
    summary: StatusSummary,
    nodes: Nodes,
    #[serde(default)]
    resources: Resources,
    #[serde(default)]
    node_history: NodeHistories,
    #[serde(default)]
    failures: Failures,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct StatusSummary {
    current_dc: Option<CurrentDc>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct CurrentDc {
    #[serde(rename = "@present")]
    present: bool,
    #[serde(rename = "@name", default)]
    name: String,
    #[serde(rename = "@with_quorum", default)]
    with_quorum: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Nodes {
    node: Vec<NodeStatus>,
}

/// One node in a view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "the attributes that crm_mon prints")]
pub struct NodeStatus {
    /// Its name.
    #[serde(rename = "@name")]
    pub name: String,
    /// Whether it is a member and its controller has joined.
    #[serde(rename = "@online")]
    pub online: bool,
    /// It runs no resources, by request.
    #[serde(rename = "@standby")]
    pub standby: bool,
    #[serde(rename = "@standby_onfail")]
    standby_onfail: bool,
    #[serde(rename = "@maintenance")]
    maintenance: bool,
    #[serde(rename = "@pending")]
    pending: bool,
    /// It is to be fenced.
    #[serde(rename = "@unclean")]
    pub unclean: bool,
    #[serde(rename = "@shutdown")]
    shutdown: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Resources {
    #[serde(rename = "$value", default)]
    members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Member {
    Resource(ResourceStatus),
    Group(Resources),
    Clone(Resources),
    #[serde(other)]
    Other,
}

/// One resource in a view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "the attributes that crm_mon prints")]
pub struct ResourceStatus {
    /// Its id.
    #[serde(rename = "@id")]
    pub id: String,
    /// `Started`, `Stopped`, `Starting`, ...
    #[serde(rename = "@role")]
    pub role: String,
    /// What is under way: `Monitoring`, `Stopping`, ...
    #[serde(rename = "@pending")]
    pub pending: String,
    /// Pacemaker gave up on it, and waits for a person.
    #[serde(rename = "@blocked")]
    pub blocked: bool,
    #[serde(rename = "@failed")]
    failed: bool,
    #[serde(rename = "@orphaned")]
    orphaned: bool,
    #[serde(rename = "@failure_ignored")]
    failure_ignored: bool,
    #[serde(rename = "@managed")]
    managed: bool,
    node: Vec<NamedNode>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct NamedNode {
    #[serde(rename = "@name")]
    name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct NodeHistories {
    #[serde(default)]
    node: Vec<NodeHistory>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct NodeHistory {
    #[serde(rename = "@name")]
    name: String,
    #[serde(default)]
    resource_history: Vec<ResourceHistory>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct ResourceHistory {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@fail-count", default)]
    fail_count: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct Failures {
    #[serde(default)]
    failure: Vec<FailedAction>,
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

impl ClusterStatus {
    /// Parses the XML.
    pub fn parse(xml: &str) -> Result<Self> {
        quick_xml::de::from_str(xml).map_err(|error| Error::Unreadable {
            what: "the XML of crm_mon".to_owned(),
            why: error.to_string(),
        })
    }

    /// Returns the designated controller, if there is one.
    pub fn dc(&self) -> Option<&str> {
        self.summary.current_dc.as_ref().filter(|dc| dc.present).map(|dc| dc.name.as_str())
    }

    /// True if this partition has quorum.
    pub fn has_quorum(&self) -> bool {
        self.summary.current_dc.as_ref().is_some_and(|dc| dc.with_quorum)
    }

    /// Returns all configured nodes.
    pub fn nodes(&self) -> &[NodeStatus] {
        &self.nodes.node
    }

    /// Returns all resources, also those in groups and clones.
    pub fn resources(&self) -> Vec<&ResourceStatus> {
        self.resources.all()
    }

    /// Returns a resource by its id.
    pub fn resource(&self, id: &str) -> Option<&ResourceStatus> {
        self.resources().into_iter().find(|resource| resource.id == id)
    }

    /// Returns the failed actions that Pacemaker remembers.
    pub fn failures(&self) -> &[FailedAction] {
        &self.failures.failure
    }

    /// Returns the fail-counts other than zero: resource, node, count as printed.
    pub fn fail_counts(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let all = self.node_history.node.iter().flat_map(|node| {
            let counts = node.resource_history.iter();
            counts.map(|one| (one.id.as_str(), node.name.as_str(), one.fail_count.as_str()))
        });
        all.filter(|(.., count)| !["", "0"].contains(count))
    }
}

impl Resources {
    fn all(&self) -> Vec<&ResourceStatus> {
        let mut found = Vec::new();
        for member in &self.members {
            match member {
                Member::Resource(resource) => found.push(resource),
                Member::Group(members) | Member::Clone(members) => found.extend(members.all()),
                Member::Other => {}
            }
        }
        found
    }
}

impl NodeStatus {
    /// Returns what a healthy node is not: `standby`, `pending`, `unclean`, ...
    pub fn flags(&self) -> Vec<&'static str> {
        set_among(&[
            ("standby", self.standby),
            ("standby_onfail", self.standby_onfail),
            ("maintenance", self.maintenance),
            ("pending", self.pending),
            ("unclean", self.unclean),
            ("shutdown", self.shutdown),
        ])
    }
}

impl ResourceStatus {
    /// Returns what a healthy resource is not: `blocked`, `failed`, `pending`, ...
    pub fn flags(&self) -> Vec<&'static str> {
        set_among(&[
            ("blocked", self.blocked),
            ("failed", self.failed),
            ("orphaned", self.orphaned),
            ("failure_ignored", self.failure_ignored),
            ("pending", !self.pending.is_empty()),
            ("unmanaged", !self.managed),
        ])
    }

    /// Returns where it is active.
    pub fn nodes(&self) -> Vec<&str> {
        self.node.iter().map(|node| node.name.as_str()).collect()
    }
}

impl std::fmt::Display for FailedAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}: {} {}", self.operation, self.node, self.code, self.reason)
    }
}

fn set_among(flags: &[(&'static str, bool)]) -> Vec<&'static str> {
    flags.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect()
}

#[cfg(test)]
pub(super) mod tests;
