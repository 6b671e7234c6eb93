//! What a node of the cluster has done and reported.

use std::collections::BTreeMap;

use super::attributes::attributes;
use super::xml::XmlElement;
use crate::face::report::{NodeReport, REPORT_ATTRIBUTE};

/// What one node has done and reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeState {
    /// Since when each resource is active there, in milliseconds since 1970; it may have been stopped since.
    pub active_since: BTreeMap<String, u64>,
    /// When it last started or stopped each resource, in milliseconds since 1970.
    pub changed: BTreeMap<String, u64>,
    /// Its transient attributes by name: they last until the node leaves the cluster.
    pub attributes: BTreeMap<String, String>,
}

impl NodeState {
    pub(super) fn of(node: &XmlElement) -> Self {
        let mut state = Self::default();
        let transient = attributes(node.below("transient_attributes"), "instance_attributes");
        state
            .attributes
            .extend(transient.into_iter().map(|(name, one)| (name.to_owned(), one.value.to_owned())));
        for resource in node.all("lrm_resource") {
            for record in resource.below("lrm_rsc_op") {
                let Ok(seconds) = record.attribute("last-rc-change").parse::<u64>() else { continue };
                let (operation, at) = (record.attribute("operation"), seconds.saturating_mul(1000));
                let later = |times: &mut BTreeMap<String, u64>| {
                    let time = times.entry(resource.attribute("id").to_owned()).or_default();
                    *time = at.max(*time);
                };
                // A probe that found it running counts as its start.
                let is_probe = operation == "monitor" && record.attribute("interval") == "0";
                let starts = is_probe || matches!(operation, "start" | "migrate_from");
                if starts && record.attribute("rc-code") == "0" {
                    later(&mut state.active_since);
                }
                if operation != "monitor" {
                    later(&mut state.changed);
                }
            }
        }
        state
    }

    /// What it reported about a resource; an error is a report that cannot be read.
    pub fn report(&self, resource: &str) -> Option<Result<NodeReport, String>> {
        self.attributes.get(&format!("{REPORT_ATTRIBUTE}{resource}")).map(|text| text.parse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::cluster::cib::Cib;

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
        let nodes = Cib::parse(CIB).unwrap().nodes;
        let n1 = &nodes["n1"];
        assert_eq!((nodes.len(), n1.active_since["eip"]), (2, 1_790_000_150_000));
        assert_eq!(n1.changed["eip"], 1_790_000_150_000);
        assert!(n1.report("vip").unwrap().is_err(), "it is no report");
        let report = n1.report("eip").unwrap().unwrap();
        assert_eq!((report.ready, report.reason.as_str()), (Some(false), "no credentials"));
        assert_eq!(nodes["n2"], NodeState::default());
        let saved = "<cib><configuration><resources/></configuration></cib>";
        assert!(Cib::parse(saved).unwrap().nodes.is_empty());
        assert!(Cib::parse("<cib><status>&").is_err());
    }
}
