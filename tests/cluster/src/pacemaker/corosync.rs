//! Corosync's configuration and the initial CIB. Pure.

use std::time::Duration;

use crate::topology::NodeName;

/// The `corosync.conf` of a cluster.
///
/// `token` is how long a node may be silent before Corosync suspects it. Below 1 s a busy machine loses tokens although nothing
/// is cut.
pub fn configuration(nodes: &[NodeName], token: Duration) -> String {
    let token = token.as_millis();
    let entry = |node: &NodeName| {
        let (address, id) = (node.address(), node.number());
        format!("  node {{\n    ring0_addr: {address}\n    name: {node}\n    nodeid: {id}\n  }}\n")
    };
    let list = nodes.iter().map(entry).collect::<Vec<_>>().concat();
    // `two_node` would turn `wait_for_all` on, and a node that boots alone would then never start anything.
    let two_node = if nodes.len() == 2 { "  two_node: 1\n  wait_for_all: 0\n" } else { "" };
    format!(
        "totem {{
  version: 2
  cluster_name: eip
  transport: knet
  crypto_cipher: none
  crypto_hash: none
  token: {token}
}}
nodelist {{
{list}}}
quorum {{
  provider: corosync_votequorum
{two_node}}}
logging {{
  to_stderr: no
  to_syslog: no
  to_logfile: yes
  logfile: /var/log/corosync/corosync.log
  timestamp: hires
}}
system {{
  sched_rr: no
  priority: max
  move_to_root_cgroup: no
}}
"
    )
}

/// The CIB that is on a node's disk before its first start.
///
/// Without the short `dc-deadtime` the first start waits 20 s for peers. Without fencing, two nodes can carry on alone only by
/// ignoring quorum; three keep Pacemaker's default and stop in a minority. The stickiness is the one that `pcs cluster setup`
/// sets: a returning node does not attract the resource.
pub fn seed_cib(nodes: &[NodeName]) -> String {
    let without_quorum = if nodes.len() == 2 { "ignore" } else { "stop" };
    format!(
        r#"<cib validate-with="pacemaker-3.0" epoch="1" num_updates="0" admin_epoch="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="cib-bootstrap-options">
        <nvpair id="stonith-enabled" name="stonith-enabled" value="false"/>
        <nvpair id="no-quorum-policy" name="no-quorum-policy" value="{without_quorum}"/>
        <nvpair id="dc-deadtime" name="dc-deadtime" value="2s"/>
      </cluster_property_set>
    </crm_config>
    <nodes/>
    <resources/>
    <constraints/>
    <rsc_defaults>
      <meta_attributes id="build-resource-defaults">
        <nvpair id="build-resource-stickiness" name="resource-stickiness" value="1"/>
      </meta_attributes>
    </rsc_defaults>
  </configuration>
  <status/>
</cib>
"#
    )
}

/// The `/etc/hosts` of all nodes.
pub fn hosts(nodes: &[NodeName]) -> String {
    let list = nodes.iter().map(|node| format!("{} {node}\n", node.address()));
    std::iter::once("127.0.0.1 localhost\n".to_owned()).chain(list).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_nodes_go_on_without_a_majority() {
        let nodes = |count| NodeName::first(count).collect::<Vec<_>>();
        let token = Duration::from_secs(1);
        assert!(configuration(&nodes(2), token).contains("two_node: 1\n  wait_for_all: 0"));
        assert!(!configuration(&nodes(3), token).contains("two_node"));
        assert!(seed_cib(&nodes(2)).contains(r#"value="ignore""#));
        assert!(seed_cib(&nodes(3)).contains(r#"value="stop""#));
    }
}
