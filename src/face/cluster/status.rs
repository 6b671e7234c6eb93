//! Status of the cluster, from the XML of `crm_mon` of Pacemaker 1.1 and later.

use super::attributes::score;
use super::xml::XmlElement;

/// Status of the cluster at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether this partition has quorum.
    pub quorum: bool,
    /// Cluster nodes, including those that are offline.
    pub nodes: Vec<CrmMonNode>,
    /// Resources, including the members of groups and clones.
    pub resources: Vec<CrmMonResource>,
    /// Non-zero fail counts.
    pub fail_counts: Vec<FailCount>,
}

/// How often a resource has failed on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailCount {
    /// Id of the resource.
    pub resource: String,
    /// Name of the node.
    pub node: String,
    /// The number, or `INFINITY`.
    pub count: String,
    /// Whether it has reached `migration-threshold`: the resource may not run on this node until a cleanup.
    pub is_ban: bool,
}

/// A node, as `crm_mon` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrmMonNode {
    /// Name of the node in the cluster.
    pub name: String,
    /// Whether it is a member of the cluster.
    pub online: bool,
    /// Reasons why it cannot run resources: `standby`, `maintenance`, ...
    pub flags: Vec<&'static str>,
    /// Whether it runs Pacemaker Remote instead of Corosync: a remote node, or a guest node.
    pub is_remote: bool,
    /// Of a guest node, the resource that is its container or virtual machine.
    pub container: Option<String>,
}

/// A resource, as `crm_mon` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrmMonResource {
    /// Id of the resource, as `crm_mon` shows it.
    pub id: String,
    /// Agent, such as `ocf:heartbeat:eip`.
    pub agent: String,
    /// `Started`, `Stopped`, `Starting`, ...
    pub role: String,
    /// Whether the cluster manages it.
    pub managed: bool,
    /// Operation in progress, such as `Migrating`; empty if there is none.
    pub pending: String,
    /// Whether one of its operations failed and it has not recovered.
    pub failed: bool,
    /// Whether the cluster has given up on it.
    pub blocked: bool,
    /// Nodes on which it is active.
    pub nodes: Vec<CrmMonNode>,
}

const NODE_FLAGS: [&str; 6] = ["standby", "standby_onfail", "maintenance", "pending", "unclean", "shutdown"];

/// Whether an attribute is set.
fn is(element: &XmlElement, name: &str) -> bool {
    element.attribute(name) == "true"
}

impl CrmMonNode {
    fn of(node: &XmlElement) -> Self {
        // Pacemaker 1.1.13 writes `container_id`.
        let container = ["id_as_resource", "container_id"].map(|name| node.attribute(name));
        Self {
            name: node.attribute("name").to_owned(),
            online: is(node, "online"),
            flags: NODE_FLAGS.into_iter().filter(|name| is(node, name)).collect(),
            is_remote: node.attribute("type") == "remote",
            container: container.into_iter().find(|id| !id.is_empty()).map(str::to_owned),
        }
    }
}

impl CrmMonResource {
    fn of(resource: &XmlElement) -> Self {
        let text = |name: &str| resource.attribute(name).to_owned();
        Self {
            id: text("id"),
            // Pacemaker 1.1 and 2.0 write `ocf::heartbeat:eip`.
            agent: text("resource_agent").replace("ocf::", "ocf:"),
            role: text("role"),
            managed: is(resource, "managed"),
            pending: text("pending"),
            failed: is(resource, "failed"),
            blocked: is(resource, "blocked"),
            nodes: resource.below("node").map(CrmMonNode::of).collect(),
        }
    }

    /// `failed` or `blocked`; `None` for a healthy resource.
    pub fn flag(&self) -> Option<&'static str> {
        if self.failed { Some("failed") } else { self.blocked.then_some("blocked") }
    }

    /// Where it is active, for a message.
    pub fn on(&self) -> String {
        self.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl FailCount {
    fn of(node: &XmlElement, history: &XmlElement) -> Self {
        let count = history.attribute("fail-count");
        let threshold = match history.attribute("migration-threshold") {
            "" => "INFINITY",
            threshold => threshold,
        };
        Self {
            resource: history.attribute("id").to_owned(),
            node: node.attribute("name").to_owned(),
            count: count.to_owned(),
            // With a threshold of 0, no number of failures is a ban.
            is_ban: score(threshold) > 0 && score(count) >= score(threshold),
        }
    }
}

impl Status {
    /// Parses the document.
    ///
    /// # Errors
    /// The parser's message, or that it names no nodes.
    pub fn parse(xml: &str) -> Result<Self, String> {
        let document = XmlElement::parse(xml)?;
        let nodes: Vec<_> =
            document.below("nodes").flat_map(|all| all.below("node")).map(CrmMonNode::of).collect();
        if nodes.is_empty() {
            return Err("no nodes in it".to_owned());
        }
        let mut controllers = document.below("summary").flat_map(|all| all.below("current_dc"));
        let quorum = controllers.any(|one| is(one, "present") && is(one, "with_quorum"));
        let mut fail_counts = Vec::new();
        for node in document.below("node_history").flat_map(|all| all.below("node")) {
            let failed = node
                .below("resource_history")
                .filter(|one| !["", "0"].contains(&one.attribute("fail-count")));
            fail_counts.extend(failed.map(|one| FailCount::of(node, one)));
        }
        let resources = document.below("resources").flat_map(|all| all.all("resource"));
        Ok(Self { quorum, nodes, resources: resources.map(CrmMonResource::of).collect(), fail_counts })
    }

    /// The resource with this name.
    pub fn resource(&self, id: &str) -> Option<&CrmMonResource> {
        self.resources.iter().find(|resource| resource.id == id)
    }

    /// The names under which the machine of a node appears: its own and, of a guest node, that of its host. Empty if the host
    /// is not known.
    pub fn machine_of(&self, node: &str) -> Vec<String> {
        let guest = self.nodes.iter().find_map(|one| one.container.as_ref().filter(|_| one.name == node));
        let host = guest.map(|container| self.resource(container).map_or(&[][..], |found| &found.nodes));
        match host {
            None => vec![node.to_owned()],
            Some([host]) => vec![node.to_owned(), host.name.clone()],
            Some(_) => Vec::new(),
        }
    }

    /// Whether failures keep a resource off a node.
    pub fn is_banned(&self, resource: &str, node: &str) -> bool {
        let is_it = |one: &FailCount| one.is_ban && one.resource == resource && one.node == node;
        self.fail_counts.iter().any(is_it)
    }

    /// Whether a node is offline, or has to be fenced.
    pub fn is_lost(&self, node: &str) -> bool {
        let gone = |one: &CrmMonNode| !one.online || one.flags.contains(&"unclean");
        self.nodes.iter().any(|one| one.name == node && gone(one))
    }

    /// The node on which a resource runs; `None` while an operation on it is in progress.
    pub fn settled_on(&self, id: &str) -> Option<&str> {
        let resource = self.resource(id)?;
        let well = resource.role == "Started" && resource.pending.is_empty() && resource.flag().is_none();
        match resource.nodes.as_slice() {
            [node] if well => Some(&node.name),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output of Pacemaker 1.1.23 (EL 7), shortened.
    const OLD: &str = r#"<?xml version="1.0"?>
<crm_mon version="1.1.23">
  <summary>
    <current_dc present="true" version="1.1.23-1.el7_9.1-9acf116022" name="n2" id="2" with_quorum="true" />
    <cluster_options stonith-enabled="true" symmetric-cluster="true" no-quorum-policy="stop" maintenance-mode="false" />
  </summary>
  <nodes>
    <node name="n1" id="1" online="true" standby="false" standby_onfail="false" maintenance="false" pending="false" unclean="false" shutdown="false" expected_up="true" is_dc="false" resources_running="2" type="member" />
    <node name="n2" id="2" online="true" standby="true" standby_onfail="false" maintenance="false" pending="false" unclean="false" shutdown="false" expected_up="true" is_dc="true" resources_running="0" type="member" />
  </nodes>
  <resources>
    <group id="service" number_resources="2" >
      <resource id="eip" resource_agent="ocf::heartbeat:eip" role="Started" active="true" orphaned="false" blocked="false" managed="true" failed="false" failure_ignored="false" nodes_running_on="1" >
        <node name="n1" id="1" cached="false"/>
      </resource>
      <resource id="web" resource_agent="systemd:httpd" role="Stopped" active="false" orphaned="false" blocked="false" managed="true" failed="true" failure_ignored="false" nodes_running_on="0" />
    </group>
  </resources>
  <node_history>
    <node name="n2">
      <resource_history id="web" orphan="false" migration-threshold="1000000" fail-count="3" last-failure="Sat Nov 21 10:05:56 2026">
      </resource_history>
    </node>
  </node_history>
</crm_mon>
"#;

    #[test]
    fn the_old_form_is_read_with_groups_flags_and_fail_counts() {
        let status = Status::parse(OLD).unwrap();
        assert!(status.quorum);
        let nodes: Vec<_> =
            status.nodes.iter().map(|node| (node.name.as_str(), node.online, &node.flags[..])).collect();
        assert_eq!(nodes, [("n1", true, &[][..]), ("n2", true, &["standby"][..])]);
        assert_eq!(status.settled_on("eip"), Some("n1"));
        assert_eq!(status.resource("eip").unwrap().agent, "ocf:heartbeat:eip");
        let web = status.resource("web").unwrap();
        assert_eq!((web.flag(), web.nodes.len(), web.managed), (Some("failed"), 0, true));
        assert_eq!(status.settled_on("web"), None);
        assert_eq!(status.fail_counts, [fail_count("web", "n2")]);
    }

    fn fail_count(resource: &str, node: &str) -> FailCount {
        FailCount {
            resource: resource.to_owned(),
            node: node.to_owned(),
            count: "3".to_owned(),
            is_ban: false,
        }
    }

    /// `crm_mon` of 2.1.5 writes INFINITY as a number.
    #[test]
    fn a_node_is_banned_once_its_fail_count_reaches_the_threshold() {
        let rows = [
            ("1000000", "3", false),
            ("1000000", "1000000", true),
            ("1000000", "INFINITY", true),
            ("3", "3", true),
            ("4", "3", false),
            ("0", "INFINITY", false),
        ];
        for (threshold, count, expected) in rows {
            let text = OLD.replace(
                r#"migration-threshold="1000000" fail-count="3""#,
                &format!(r#"migration-threshold="{threshold}" fail-count="{count}""#),
            );
            let status = Status::parse(&text).unwrap();
            assert_eq!(status.is_banned("web", "n2"), expected, "{threshold} {count}");
            assert!(!status.is_banned("web", "n1") && !status.is_banned("eip", "n2"));
        }
    }

    /// Output of Pacemaker 2.1.5 and 3.0.3 for the same configuration.
    const NEW: [&str; 2] =
        [include_str!("fixtures/crm_mon-2.1.5.xml"), include_str!("fixtures/crm_mon-3.0.3.xml")];

    #[test]
    fn the_newer_forms_are_read_with_groups_clones_flags_and_fail_counts() {
        for text in NEW {
            let status = Status::parse(text).unwrap();
            assert!(status.quorum);
            assert_eq!(status.nodes.iter().map(|node| node.flags.len()).collect::<Vec<_>>(), [0, 1]);
            let found = |one: &CrmMonResource| (one.id.clone(), one.role.clone(), one.on());
            let found: Vec<_> = status.resources.iter().map(found).collect();
            let expected = [
                ("web", "Stopped", ""),
                ("eip", "Started", "n1"),
                ("ping", "Started", "n1"),
                ("ping", "Stopped", ""),
            ];
            assert_eq!(found, expected.map(|(id, role, on)| (id.into(), role.into(), on.into())));
            assert_eq!(status.settled_on("eip"), Some("n1"));
            assert_eq!(status.fail_counts, [fail_count("ping", "n1")]);
        }
    }

    /// Output of Pacemaker 2.1.5, shortened; 1.1 writes the same attributes.
    #[test]
    fn remote_nodes_and_containers_are_told_from_cluster_nodes() {
        let remote = r#"type="remote""#;
        let text = OLD.replace(
            "<nodes>",
            &format!(
                r#"<nodes><node name="app-0" online="true" {remote} id_as_resource="app-docker-0"/>
                <node name="lost-0" online="false" {remote} container_id="lost-docker-0"/>
                <node name="r1" online="true" {remote}/>"#
            ),
        );
        let container = r#"<resources><bundle id="app"><replica id="0"><resource id="app-docker-0" role="Started"><node name="n1"/>"#;
        let text = text.replace("<resources>", &format!("{container}</resource></replica></bundle>"));
        let status = Status::parse(&text).unwrap();
        let kind = |node: &CrmMonNode| (node.is_remote, node.container.clone());
        let of = |container: &str| (true, Some(container.to_owned()));
        let expected = [of("app-docker-0"), of("lost-docker-0"), (true, None), (false, None), (false, None)];
        assert_eq!(status.nodes.iter().map(kind).collect::<Vec<_>>(), expected);
        assert_eq!(status.machine_of("app-0"), ["app-0", "n1"]);
        assert_eq!(status.machine_of("lost-0"), [""; 0]);
        assert_eq!(
            (status.machine_of("r1"), status.machine_of("n1")),
            (vec!["r1".into()], vec!["n1".into()])
        );
    }

    #[test]
    fn what_is_under_way_is_not_settled() {
        for (from, to) in [
            (r#"nodes_running_on="1" "#, r#"nodes_running_on="1" pending="Migrating" "#),
            (r#"role="Started""#, r#"role="Stopping""#),
            (r#"<node name="n1" id="1" cached="false"/>"#, r#"<node name="n1"/><node name="n2"/>"#),
        ] {
            assert!(OLD.contains(from));
            assert_eq!(Status::parse(&OLD.replacen(from, to, 1)).unwrap().settled_on("eip"), None, "{to}");
        }
    }

    #[test]
    fn what_is_not_a_status_is_an_error() {
        for text in ["", "crm_mon: Error: cluster is not available on this node", "<nodes><node name='n1'>"] {
            assert!(Status::parse(text).is_err(), "{text}");
        }
        let refused = r#"<pacemaker-result><status code="102" message="Not connected"/></pacemaker-result>"#;
        assert_eq!(Status::parse(refused).unwrap_err(), "no nodes in it");
    }
}
