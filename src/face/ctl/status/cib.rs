//! What the cluster's nodes have done and reported, from the section `status` of the XML of `cibadmin --query`.

use std::collections::BTreeMap;

use quick_xml::de::from_str;
use serde::Deserialize;

use crate::face::report::{NodeReport, REPORT_ATTRIBUTE};

/// What one node has done and reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeTrack {
    /// Node name.
    pub name: String,
    /// Since when each resource is active there, in milliseconds since 1970; it may have been stopped since.
    pub active_since: BTreeMap<String, u64>,
    /// When it last started or stopped each resource, in milliseconds since 1970.
    pub changed: BTreeMap<String, u64>,
    /// What it reported about each resource.
    pub reports: BTreeMap<String, NodeReport>,
}

/// The tracks of all nodes in the document; empty if it has no section `status`.
///
/// # Errors
/// The parser's message, if the XML is not of the expected form.
pub fn tracks(xml: &str) -> Result<Vec<NodeTrack>, String> {
    let document: CibWithStatus = from_str(xml).map_err(|error| error.to_string())?;
    Ok(document.status.node_state.into_iter().map(NodeTrack::from).collect())
}

impl From<NodeState> for NodeTrack {
    fn from(state: NodeState) -> Self {
        let last = |of_interest: fn(&LrmOperation) -> bool| {
            let resources =
                state.lrm.iter().flat_map(|lrm| &lrm.lrm_resources).flat_map(|all| &all.lrm_resource);
            let last = move |one: &LrmResource| {
                let times = one.lrm_rsc_op.iter().filter(|op| of_interest(op));
                let last = times.filter_map(|op| op.changed.parse::<u64>().ok()).max()?;
                Some((one.id.clone(), last.saturating_mul(1000)))
            };
            resources.filter_map(last).collect()
        };
        let sets = state.transient_attributes.iter().flat_map(|all| &all.instance_attributes);
        let report = |pair: &TransientPair| {
            let resource = pair.name.strip_prefix(REPORT_ATTRIBUTE)?;
            Some((resource.to_owned(), pair.value.parse().ok()?))
        };
        Self {
            active_since: last(LrmOperation::made_it_active),
            changed: last(|op| op.operation != "monitor"),
            name: state.uname.clone(),
            reports: sets.flat_map(|set| &set.nvpair).filter_map(report).collect(),
        }
    }
}

impl LrmOperation {
    /// A start, a live move to this node, or a probe that found the resource running.
    fn made_it_active(&self) -> bool {
        let probe = self.operation == "monitor" && self.interval == "0";
        self.rc_code == "0" && (probe || matches!(self.operation.as_str(), "start" | "migrate_from"))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CibWithStatus {
    status: NodeStates,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodeStates {
    node_state: Vec<NodeState>,
}

#[derive(Deserialize)]
struct NodeState {
    /// Missing for a node of which nothing but an attribute is known.
    #[serde(rename = "@uname", default)]
    uname: String,
    #[serde(default)]
    lrm: Vec<Lrm>,
    #[serde(default)]
    transient_attributes: Vec<TransientAttributes>,
}

#[derive(Deserialize)]
struct Lrm {
    #[serde(default)]
    lrm_resources: Vec<LrmResources>,
}

#[derive(Deserialize)]
struct LrmResources {
    #[serde(default)]
    lrm_resource: Vec<LrmResource>,
}

#[derive(Deserialize)]
struct LrmResource {
    #[serde(rename = "@id")]
    id: String,
    #[serde(default)]
    lrm_rsc_op: Vec<LrmOperation>,
}

#[derive(Deserialize)]
struct LrmOperation {
    #[serde(rename = "@operation", default)]
    operation: String,
    #[serde(rename = "@interval", default)]
    interval: String,
    #[serde(rename = "@rc-code", default)]
    rc_code: String,
    /// Seconds since 1970.
    #[serde(rename = "@last-rc-change", default)]
    changed: String,
}

#[derive(Deserialize)]
struct TransientAttributes {
    #[serde(default)]
    instance_attributes: Vec<TransientSet>,
}

#[derive(Deserialize)]
struct TransientSet {
    #[serde(default)]
    nvpair: Vec<TransientPair>,
}

#[derive(Deserialize)]
struct TransientPair {
    #[serde(rename = "@name", default)]
    name: String,
    #[serde(rename = "@value", default)]
    value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of Pacemaker 2.1.5, shortened.
    const CIB: &str = r#"<cib><configuration><resources/></configuration><status>
      <node_state id="1" uname="n1" in_ccm="true" crmd="online">
        <transient_attributes id="1"><instance_attributes id="status-1">
          <nvpair id="status-1-a" name="fail-count-web#start_0" value="1"/>
          <nvpair id="status-1-b" name="eip-report-eip" value="at=1790000000 ready=false here=no reason=no credentials"/>
          <nvpair id="status-1-c" name="eip-report-vip" value="nonsense"/>
        </instance_attributes></transient_attributes>
        <lrm id="1"><lrm_resources>
          <lrm_resource id="eip" class="ocf" provider="heartbeat" type="eip">
            <lrm_rsc_op id="a" operation="monitor" interval="0" rc-code="7" last-rc-change="1790000300"/>
            <lrm_rsc_op id="b" operation="start" interval="0" rc-code="0" last-rc-change="1790000100"/>
            <lrm_rsc_op id="e" operation="stop" interval="0" rc-code="0" last-rc-change="1790000099"/>
            <lrm_rsc_op id="c" operation="monitor" interval="10000" rc-code="0" last-rc-change="1790000200"/>
            <lrm_rsc_op id="d" operation="migrate_from" interval="0" rc-code="0" last-rc-change="1790000150"/>
          </lrm_resource>
        </lrm_resources></lrm>
      </node_state>
      <node_state id="2" uname="n2"/>
    </status></cib>"#;

    #[test]
    fn a_resource_is_active_since_its_last_start_and_reports_are_read() {
        let [n1, n2] = <[NodeTrack; 2]>::try_from(tracks(CIB).unwrap()).unwrap();
        assert_eq!((n1.name.as_str(), n1.active_since["eip"]), ("n1", 1_790_000_150_000));
        assert_eq!(n1.changed["eip"], 1_790_000_150_000);
        assert_eq!(n1.reports.len(), 1, "one that cannot be read counts as none");
        assert_eq!(
            (n1.reports["eip"].ready, n1.reports["eip"].reason.as_str()),
            (Some(false), "no credentials")
        );
        assert_eq!(n2, NodeTrack { name: "n2".to_owned(), ..NodeTrack::default() });
        let saved = "<cib><configuration><resources/></configuration></cib>";
        assert_eq!(tracks(saved), Ok(Vec::new()));
        assert!(tracks("Connection refused").is_err());
    }
}
