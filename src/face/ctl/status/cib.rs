//! What the cluster's nodes have done and reported, from the section `status` of the XML of `cibadmin --query`.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

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
/// The parser's message, if it is not XML.
pub fn tracks(xml: &str) -> Result<Vec<NodeTrack>, String> {
    let mut reader = Reader::from_str(xml);
    let (mut tracks, mut resource) = (Vec::<NodeTrack>::new(), String::new());
    loop {
        let element = match reader.read_event().map_err(|error| error.to_string())? {
            Event::Eof => return Ok(tracks),
            Event::Start(element) | Event::Empty(element) => element,
            _ => continue,
        };
        let value = |name: &str| value(&element, name);
        let name = element.name();
        match (name.as_ref(), tracks.last_mut()) {
            // A node of which nothing but an attribute is known has no name.
            ("node_state", _) => tracks.push(NodeTrack { name: value("uname"), ..NodeTrack::default() }),
            ("lrm_resource", Some(_)) => resource = value("id"),
            ("lrm_rsc_op", Some(track)) => {
                let Ok(seconds) = value("last-rc-change").parse::<u64>() else { continue };
                let (operation, at) = (value("operation"), seconds.saturating_mul(1000));
                let later = |times: &mut BTreeMap<String, u64>| {
                    let time = times.entry(resource.clone()).or_default();
                    *time = at.max(*time);
                };
                // A probe that found it running counts as its start.
                let is_probe = operation == "monitor" && value("interval") == "0";
                let starts = is_probe || matches!(operation.as_str(), "start" | "migrate_from");
                if starts && value("rc-code") == "0" {
                    later(&mut track.active_since);
                }
                if operation != "monitor" {
                    later(&mut track.changed);
                }
            }
            ("nvpair", Some(track)) => {
                let (name, report) = (value("name"), value("value").parse());
                if let (Some(resource), Ok(report)) = (name.strip_prefix(REPORT_ATTRIBUTE), report) {
                    track.reports.insert(resource.to_owned(), report);
                }
            }
            _ => {}
        }
    }
}

/// The value of an attribute; empty without one.
fn value(element: &BytesStart<'_>, name: &str) -> String {
    let found = element.try_get_attribute(name).ok().flatten();
    found
        .and_then(|found| found.normalized_value(XmlVersion::Implicit1_0).ok())
        .unwrap_or_default()
        .into_owned()
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
        assert!(tracks("<cib><status>&").is_err());
    }
}
