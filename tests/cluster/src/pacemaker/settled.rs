//! The strict check: is the cluster in one consistent, healthy, final state? Pure.

use std::collections::BTreeSet;

use eip::face::cluster::status::CrmMonNode;

use super::crm_mon::ClusterStatus;
use crate::topology::{NodeName, name_of};

/// What the cloud, a client and the devices show of a resource at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The resource's id.
    pub resource: &'static str,
    /// The node that holds its address, according to EC2.
    pub holder: Option<NodeName>,
    /// The node that answers a client of its address.
    pub answering: Option<NodeName>,
    /// The nodes that have its address on a device. `None` if this kind of address is on no device.
    pub devices: Option<Vec<NodeName>>,
}

/// The one node on which the first of the resources runs, if every view says so, each resource runs on one node, and the outside agrees;
/// otherwise the first flaw.
///
/// `views` are those of all nodes that should be online; every other node in them must be offline. Exactly the nodes in `standby`
/// must be shown as being in standby.
pub fn verdict(
    views: &[(NodeName, ClusterStatus)],
    standby: &BTreeSet<NodeName>,
    resources: &[Outside],
) -> Result<NodeName, String> {
    let online: BTreeSet<String> = views.iter().map(|(name, _)| name.to_string()).collect();
    let standby: BTreeSet<String> = standby.iter().map(ToString::to_string).collect();
    let mut agreed: Option<(Vec<NodeName>, Option<&str>)> = None;
    for (name, status) in views {
        members(status, &online, &standby).map_err(|why| format!("{name} sees {why}"))?;
        let active: Result<Vec<_>, _> =
            resources.iter().map(|outside| active(status, outside.resource)).collect();
        let belief = (active.map_err(|why| format!("{name} sees {why}"))?, status.dc.as_deref());
        if *agreed.get_or_insert_with(|| belief.clone()) != belief {
            return Err(format!("the nodes disagree: {agreed:?}, but {name} says {belief:?}"));
        }
    }
    let (active, _) = agreed.ok_or("no node is online")?;
    for (outside, node) in resources.iter().zip(&active) {
        outside
            .agrees(*node)
            .map_err(|why| format!("{} is active on {node}, but {why}", outside.resource))?;
    }
    active.first().copied().ok_or_else(|| "no resource".to_owned())
}

impl Outside {
    fn agrees(&self, active: NodeName) -> Result<(), String> {
        if self.holder != Some(active) {
            return Err(format!("{} holds the address", name_of(self.holder)));
        }
        if self.answering != Some(active) {
            return Err(format!("{} answers the client", name_of(self.answering)));
        }
        match &self.devices {
            Some(devices) if *devices != [active] => {
                Err(format!("the address is on the devices of {devices:?}"))
            }
            _ => Ok(()),
        }
    }
}

fn members(
    status: &ClusterStatus,
    online: &BTreeSet<String>,
    standby: &BTreeSet<String>,
) -> Result<(), String> {
    if status.dc.is_none() {
        return Err("no controller".into());
    }
    if !status.quorum {
        return Err("no quorum".into());
    }
    for node in &status.nodes {
        let flags: &[&str] = if standby.contains(&node.name) { &["standby"] } else { &[] };
        member(node, online.contains(&node.name), flags)?;
    }
    match online.iter().find(|name| !status.nodes.iter().any(|node| node.name == **name)) {
        Some(missing) => Err(format!("no node {missing}")),
        None => Ok(()),
    }
}

fn member(node: &CrmMonNode, online: bool, flags: &[&str]) -> Result<(), String> {
    let name = &node.name;
    if node.online != online {
        return Err(format!("{name} {}", if node.online { "online" } else { "offline" }));
    }
    if node.flags != flags {
        return Err(format!("{name} {:?} instead of {flags:?}", node.flags));
    }
    Ok(())
}

fn active(status: &ClusterStatus, resource: &str) -> Result<NodeName, String> {
    let found = status.resource(resource).ok_or_else(|| format!("no resource {resource}"))?;
    if !found.flags.is_empty() {
        return Err(format!("{resource} {}", found.flags.join(", ")));
    }
    if found.role != "Started" {
        return Err(format!("{resource} {}", found.role));
    }
    match found.nodes.as_slice() {
        [one] => one.parse(),
        several => Err(format!("{resource} active on {} nodes: {}", several.len(), several.join(" "))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::crm_mon::tests::HEALTHY;
    use super::*;
    use crate::topology::{N1, N2};

    fn outside(holder: NodeName) -> Outside {
        Outside { resource: "eip", holder: Some(holder), answering: Some(holder), devices: None }
    }

    fn verdict(views: &[(NodeName, ClusterStatus)], outside: Outside) -> Result<NodeName, String> {
        super::verdict(views, &BTreeSet::new(), &[outside])
    }

    fn view(node: NodeName, changes: &[(&str, &str)]) -> (NodeName, ClusterStatus) {
        let xml = changes.iter().fold(HEALTHY.to_owned(), |xml, (from, to)| {
            assert!(xml.contains(from), "{from}");
            xml.replace(from, to)
        });
        (node, ClusterStatus::parse(&xml).unwrap())
    }

    fn both(changes: &[(&str, &str)]) -> [(NodeName, ClusterStatus); 2] {
        [N1, N2].map(|node| view(node, changes))
    }

    const ON_N1: &str = r#"<node name="n1" id="1" cached="true"/>"#;
    const ON_N2: &str = r#"<node name="n2" id="2" cached="true"/>"#;
    const STANDBY_N2: (&str, &str) = (
        r#"name="n2" id="2" online="true" standby="false""#,
        r#"name="n2" id="2" online="true" standby="true""#,
    );

    #[test]
    fn two_nodes_that_agree_with_the_cloud_are_settled() {
        assert_eq!(verdict(&both(&[]), outside(N1)), Ok(N1));
    }

    #[test]
    fn each_flaw_alone_is_found() {
        let flaws = [
            ("no controller", r#"present="true""#, r#"present="false""#),
            ("no quorum", r#"with_quorum="true""#, r#"with_quorum="false""#),
            ("n2 offline", r#"name="n2" id="2" online="true""#, r#"name="n2" id="2" online="false""#),
            (r#"n2 ["standby"]"#, STANDBY_N2.0, STANDBY_N2.1),
            ("no node n2", HEALTHY.lines().find(|line| line.contains(r#"name="n2""#)).unwrap(), ""),
            ("no resource", r#"id="eip""#, r#"id="vip""#),
            ("blocked", r#"blocked="false""#, r#"blocked="true""#),
            ("Starting", "Started", "Starting"),
            ("2 nodes", ON_N1, &[ON_N1, ON_N2].concat()),
        ];
        for (expected, from, to) in flaws {
            let views = both(&[(from, to)]);
            let why = verdict(&views, outside(N1)).unwrap_err();
            assert!(why.contains(expected), "{expected}: {why}");
        }
    }

    #[test]
    fn a_split_is_not_settled_although_each_half_is_content() {
        let views = [view(N1, &[]), view(N2, &[(ON_N1, ON_N2)])];
        assert!(verdict(&views, outside(N1)).unwrap_err().contains("disagree"));
    }

    #[test]
    fn the_cloud_the_client_and_the_devices_have_to_agree_with_the_cluster() {
        assert!(verdict(&both(&[]), outside(N2)).unwrap_err().contains("n2 holds"));
        let unassigned = Outside { holder: None, ..outside(N1) };
        assert!(verdict(&both(&[]), unassigned).unwrap_err().contains("no node holds"));
        let unanswered = Outside { answering: None, ..outside(N1) };
        assert!(verdict(&both(&[]), unanswered).unwrap_err().contains("no node answers"));
        for (devices, settled) in
            [(vec![N1], true), (vec![N1, N2], false), (vec![N2], false), (vec![], false)]
        {
            let found = verdict(&both(&[]), Outside { devices: Some(devices.clone()), ..outside(N1) });
            assert_eq!(found.is_ok(), settled, "{devices:?}: {found:?}");
        }
    }

    #[test]
    fn every_resource_has_to_run_where_its_address_is() {
        let second =
            r#"<resource id="vip" role="Started" managed="true"><node name="n2"/></resource></resources>"#;
        let views = both(&[("</resources>", second)]);
        let vip = |holder| Outside { resource: "vip", devices: Some(vec![holder]), ..outside(holder) };
        let both_are = |holder| super::verdict(&views, &BTreeSet::new(), &[outside(N1), vip(holder)]);
        assert_eq!(both_are(N2), Ok(N1), "the first resource's node");
        assert!(both_are(N1).unwrap_err().contains("vip is active on n2, but n1 holds"));
    }

    #[test]
    fn a_dead_node_has_to_be_seen_as_offline() {
        let alone = [(ON_N1, ON_N2)];
        assert!(verdict(&[view(N2, &alone)], outside(N2)).unwrap_err().contains("n1 online"));
        let offline = (r#"name="n1" id="1" online="true""#, r#"name="n1" id="1" online="false""#);
        assert_eq!(verdict(&[view(N2, &[alone[0], offline])], outside(N2)), Ok(N2));
    }

    #[test]
    fn a_standby_node_has_to_be_known_as_one() {
        let standby = BTreeSet::from([N2]);
        assert!(super::verdict(&both(&[]), &standby, &[outside(N1)]).is_err());
        assert_eq!(super::verdict(&both(&[STANDBY_N2]), &standby, &[outside(N1)]), Ok(N1));
    }
}
