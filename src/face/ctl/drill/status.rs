//! What the cluster says of itself: the XML of `crm_mon`, of Pacemaker 1.1 and of later ones.

use super::xml::{Element, walk};

/// The cluster at a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Whether this partition may act.
    pub quorum: bool,
    /// All nodes.
    pub nodes: Vec<Node>,
    /// All resources, those of groups and clones among them.
    pub resources: Vec<Resource>,
    /// Fail-counts other than zero: resource, node, count.
    pub fail_counts: Vec<(String, String, String)>,
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether it is a member of the cluster.
    pub online: bool,
    /// What a node that can take resources is not: `standby`, `maintenance`, ...
    pub flags: Vec<&'static str>,
}

/// A resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resource {
    /// Its name.
    pub id: String,
    /// Its agent, such as `ocf:heartbeat:eip`.
    pub agent: String,
    /// `Started`, `Stopped`, `Starting`, ...
    pub role: String,
    /// Whether the cluster looks after it.
    pub managed: bool,
    /// Whether something is under way.
    pub pending: bool,
    /// What a healthy resource is not: `failed`, `blocked`.
    pub flags: Vec<&'static str>,
    /// Where it is active.
    pub nodes: Vec<String>,
}

const NODE_FLAGS: [&str; 6] = ["standby", "standby_onfail", "maintenance", "pending", "unclean", "shutdown"];
const RESOURCE_FLAGS: [&str; 2] = ["failed", "blocked"];

impl Status {
    /// Reads the document.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn parse(xml: &str) -> Result<Self, String> {
        let mut status = Self::default();
        let mut history_of = String::new();
        walk(xml, |element| status.take(element, &mut history_of))?;
        if status.nodes.is_empty() { Err("it names no nodes".to_owned()) } else { Ok(status) }
    }

    /// Returns a resource by its name.
    #[must_use]
    pub fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }

    /// Returns the node on which a resource runs and nothing is under way with it.
    #[must_use]
    pub fn settled_on(&self, id: &str) -> Option<&str> {
        let resource = self.resource(id)?;
        match resource.nodes.as_slice() {
            [node] if resource.role == "Started" && !resource.pending && resource.flags.is_empty() => {
                Some(node)
            }
            _ => None,
        }
    }

    fn take(&mut self, element: &Element<'_>, history_of: &mut String) {
        match (element.parent(), element.name) {
            ("summary", "current_dc") => self.quorum = element.is("present") && element.is("with_quorum"),
            ("nodes", "node") => self.nodes.push(Node {
                name: element.text("name").to_owned(),
                online: element.is("online"),
                flags: NODE_FLAGS.into_iter().filter(|flag| element.is(flag)).collect(),
            }),
            (_, "resource") if element.is_in("resources") => self.resources.push(Resource {
                id: element.text("id").to_owned(),
                agent: element.text("resource_agent").replace("::", ":"),
                role: element.text("role").to_owned(),
                managed: element.is("managed"),
                pending: !element.text("pending").is_empty(),
                flags: RESOURCE_FLAGS.into_iter().filter(|flag| element.is(flag)).collect(),
                nodes: Vec::new(),
            }),
            ("resource", "node") => {
                if let Some(resource) = self.resources.last_mut() {
                    resource.nodes.push(element.text("name").to_owned());
                }
            }
            ("node_history", "node") => element.text("name").clone_into(history_of),
            (_, "resource_history") => {
                let count = element.text("fail-count");
                if !count.is_empty() && count != "0" {
                    let (id, node) = (element.text("id").to_owned(), history_of.clone());
                    self.fail_counts.push((id, node, count.to_owned()));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Pacemaker 1.1.23, that of an EL 7, prints it, shortened.
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
        assert_eq!((web.flags.as_slice(), web.nodes.len(), web.managed), (&["failed"][..], 0, true));
        assert_eq!(status.settled_on("web"), None);
        assert_eq!(status.fail_counts, [("web".to_owned(), "n2".to_owned(), "3".to_owned())]);
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
    fn what_is_no_status_is_an_error() {
        for text in ["", "crm_mon: Error: cluster is not available on this node", "<nodes><node name='n1'>"] {
            assert!(Status::parse(text).is_err(), "{text}");
        }
        let refused = r#"<pacemaker-result><status code="102" message="Not connected"/></pacemaker-result>"#;
        assert_eq!(Status::parse(refused).unwrap_err(), "it names no nodes");
    }
}
