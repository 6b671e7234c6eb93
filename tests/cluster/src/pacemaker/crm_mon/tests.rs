//! Output of `crm_mon` 2.1.5, shortened. Nodes, groups, clones, fail-counts and malformed documents are tested in the product.

use super::*;

pub(in crate::pacemaker) const HEALTHY: &str = r#"<pacemaker-result api-version="2.25" request="crm_mon -1 --output-as=xml">
  <summary>
    <current_dc present="true" version="2.1.5-a3f44794f94" name="n1" id="1" with_quorum="true" mixed_version="false"/>
  </summary>
  <nodes>
    <node name="n1" id="1" online="true" standby="false" standby_onfail="false" maintenance="false" pending="false" unclean="false" shutdown="false"/>
    <node name="n2" id="2" online="true" standby="false" standby_onfail="false" maintenance="false" pending="false" unclean="false" shutdown="false"/>
  </nodes>
  <resources>
    <resource id="eip" resource_agent="ocf:heartbeat:eip" role="Started" active="true" orphaned="false" blocked="false" managed="true" failed="false" failure_ignored="false" nodes_running_on="1">
      <node name="n1" id="1" cached="true"/>
    </resource>
  </resources>
  <status code="0" message="OK"/>
</pacemaker-result>"#;
/// The attributes of the resource after a split.
const SPLIT: &str = r#"blocked="true" managed="true" failed="true" failure_ignored="false" nodes_running_on="2" pending="Stopping">
      <node name="n1" id="1" cached="true"/>
      <node name="n2" id="2" cached="true"/>
    </resource>
  </resources>
  <failures>
    <failure op_key="eip_start_0" node="n2" exitstatus="error" exitreason="EC2 &lt;silent&gt;" exitcode="1" call="6" status="complete" queued="0" exec="12160" interval="0" task="start"/>
  </failures>
</pacemaker-result>"#;

#[test]
fn a_healthy_cluster_has_no_flags_and_no_failures() {
    let status = ClusterStatus::parse(HEALTHY).unwrap();
    assert_eq!(status.dc.as_deref(), Some("n1"));
    assert!(status.quorum);
    let nodes: Vec<_> = status.nodes.iter().map(|n| (n.name.as_str(), n.online, n.flags.len())).collect();
    assert_eq!(nodes, [("n1", true, 0), ("n2", true, 0)]);
    let resource = status.resource("eip").unwrap();
    assert_eq!((resource.role.as_str(), resource.nodes.as_slice()), ("Started", &["n1".to_owned()][..]));
    assert!(resource.flags.is_empty(), "{:?}", resource.flags);
    assert!(status.failures.is_empty() && status.fail_counts.is_empty());
}

#[test]
fn what_a_split_leaves_behind_is_seen() {
    let (before, _) = HEALTHY.split_once(r#"blocked="false""#).unwrap();
    let status = ClusterStatus::parse(&[before, SPLIT].concat()).unwrap();
    let resource = status.resource("eip").unwrap();
    assert_eq!(resource.nodes, ["n1", "n2"]);
    assert_eq!(resource.flags, ["blocked", "failed", "pending=Stopping"]);
    assert_eq!(status.failures[0].to_string(), "eip_start_0 on n2: 1 EC2 <silent>");
}
