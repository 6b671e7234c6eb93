//! The strict check: is the cluster in one agreed, healthy, final state? Pure.

use std::collections::BTreeSet;

use super::RESOURCE;
use crate::crm_mon::{NodeState, Status};
use crate::topology::NodeName;

/// What the outside shows at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outside {
    /// Who holds the address in the cloud.
    pub holder: Option<NodeName>,
    /// Who answers a client.
    pub answering: Option<NodeName>,
}

/// Returns the one node on which the resource runs, if every view says so and the outside agrees; else what is wrong.
///
/// `views` are those of all nodes that should be online; every other node in them must be offline. The nodes in
/// `standby` must be known as such, and no other.
///
/// # Errors
/// The first thing that is not as it should be, in words.
pub fn verdict(
    views: &[(NodeName, Status)],
    standby: &BTreeSet<NodeName>,
    outside: Outside,
) -> Result<NodeName, String> {
    let online: BTreeSet<String> = views.iter().map(|(name, _)| name.to_string()).collect();
    let standby: BTreeSet<String> = standby.iter().map(ToString::to_string).collect();
    let mut agreed: Option<(NodeName, Option<&String>)> = None;
    for (name, status) in views {
        let active = view(status, &online, &standby).map_err(|why| format!("{name} sees {why}"))?;
        let belief = (active, status.dc.as_ref());
        if *agreed.get_or_insert(belief) != belief {
            return Err(format!("the nodes disagree: {agreed:?}, but {name} says {belief:?}"));
        }
    }
    let (active, _) = agreed.ok_or("no node is online")?;
    let whom = |node: Option<NodeName>| node.map_or_else(|| "nobody".to_owned(), |node| node.to_string());
    if outside.holder != Some(active) {
        return Err(format!("active on {active}, but {} holds the address", whom(outside.holder)));
    }
    if outside.answering != Some(active) {
        return Err(format!("active on {active}, but {} answers the client", whom(outside.answering)));
    }
    Ok(active)
}

fn view(status: &Status, online: &BTreeSet<String>, standby: &BTreeSet<String>) -> Result<NodeName, String> {
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
    if let Some(missing) = online.iter().find(|name| !status.nodes.iter().any(|node| node.name == **name)) {
        return Err(format!("no node {missing}"));
    }
    let resource = status.resource(RESOURCE).ok_or("no resource")?;
    if !resource.flags.is_empty() {
        return Err(format!("the resource {}", resource.flags.join(", ")));
    }
    if resource.role != "Started" {
        return Err(format!("the resource {}", resource.role));
    }
    match resource.nodes.as_slice() {
        [one] => one.parse(),
        several => Err(format!("the resource active on {} nodes: {}", several.len(), several.join(" "))),
    }
}

fn member(node: &NodeState, online: bool, flags: &[&str]) -> Result<(), String> {
    let name = &node.name;
    if node.online != online {
        return Err(format!("{name} {}", if node.online { "online" } else { "offline" }));
    }
    if node.flags != flags {
        return Err(format!("{name} {:?} instead of {flags:?}", node.flags));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm_mon::Resource;

    fn verdict(views: &[(NodeName, Status)], outside: Outside) -> Result<NodeName, String> {
        super::verdict(views, &BTreeSet::new(), outside)
    }

    fn node(name: &str) -> NodeName {
        name.parse().unwrap()
    }

    fn at(name: &str) -> Outside {
        Outside { holder: name.parse().ok(), answering: name.parse().ok() }
    }

    fn healthy(active: &str) -> Status {
        let state = |name: &str| NodeState { name: name.into(), online: true, flags: vec![] };
        let resource = Resource {
            id: RESOURCE.into(),
            role: "Started".into(),
            nodes: vec![active.into()],
            ..Resource::default()
        };
        Status {
            dc: Some("n1".into()),
            quorum: true,
            nodes: vec![state("n1"), state("n2")],
            resources: vec![resource],
            ..Status::default()
        }
    }

    fn both(change: impl Fn(&mut Status)) -> Vec<(NodeName, Status)> {
        ["n1", "n2"]
            .map(|name| (node(name), healthy("n1")))
            .map(|mut view| (change(&mut view.1), view).1)
            .into()
    }

    #[test]
    fn two_nodes_that_agree_with_the_cloud_are_settled() {
        assert_eq!(verdict(&both(|_| {}), at("n1")), Ok(node("n1")));
    }

    #[test]
    fn each_flaw_alone_is_found() {
        type Flaw = fn(&mut Status);
        let flaws: [(&str, Flaw); 9] = [
            ("no controller", |s| s.dc = None),
            ("no quorum", |s| s.quorum = false),
            ("n2 offline", |s| s.nodes[1].online = false),
            (r#"n2 ["standby"]"#, |s| s.nodes[1].flags.push("standby".into())),
            ("no node n2", |s| drop(s.nodes.pop())),
            ("no resource", |s| s.resources.clear()),
            ("blocked", |s| s.resources[0].flags.push("blocked".into())),
            ("Starting", |s| s.resources[0].role = "Starting".into()),
            ("2 nodes", |s| s.resources[0].nodes.push("n2".into())),
        ];
        for (expected, flaw) in flaws {
            let why = verdict(&both(flaw), at("n1")).unwrap_err();
            assert!(why.contains(expected), "{expected}: {why}");
        }
    }

    #[test]
    fn a_split_is_not_settled_although_each_half_is_content() {
        let views = [(node("n1"), healthy("n1")), (node("n2"), healthy("n2"))];
        assert!(verdict(&views, at("n1")).unwrap_err().contains("disagree"));
    }

    #[test]
    fn the_cloud_and_the_client_have_to_agree_with_the_cluster() {
        assert!(verdict(&both(|_| {}), at("n2")).unwrap_err().contains("n2 holds"));
        assert!(verdict(&both(|_| {}), at("")).unwrap_err().contains("nobody holds"));
        let unanswered = Outside { answering: None, ..at("n1") };
        assert!(verdict(&both(|_| {}), unanswered).unwrap_err().contains("nobody answers"));
    }

    #[test]
    fn a_dead_node_has_to_be_seen_as_offline() {
        let mut status = healthy("n2");
        assert!(verdict(&[(node("n2"), status.clone())], at("n2")).unwrap_err().contains("n1 online"));
        status.nodes[0].online = false;
        assert_eq!(verdict(&[(node("n2"), status)], at("n2")), Ok(node("n2")));
    }

    #[test]
    fn a_standby_node_has_to_be_known_as_one() {
        let standby = BTreeSet::from([node("n2")]);
        assert!(super::verdict(&both(|_| {}), &standby, at("n1")).is_err());
        let views = both(|status| status.nodes[1].flags.push("standby".into()));
        assert_eq!(super::verdict(&views, &standby, at("n1")), Ok(node("n1")));
    }
}
