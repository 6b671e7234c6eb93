//! Checks that the cluster is fit for a drill, and chooses source and destination.

use crate::face::cluster::cib::Configuration;
use crate::face::cluster::status::{CrmMonNode, CrmMonResource, FailCount, Status};
use crate::ocf::agent::{self, Agent};

/// Source and destination of a move.
#[derive(Debug, Clone)]
pub struct DrillPlan {
    /// The agent of the resource, one of ours.
    pub agent: &'static Agent,
    /// Node that runs the resource.
    pub from: String,
    /// The node to which it is to move.
    pub to: String,
}

impl DrillPlan {
    /// Chooses the nodes; `wanted` is the destination that was requested, if any.
    ///
    /// # Errors
    /// A sentence with the obstacle and what is expected instead.
    pub fn new(
        resource: &str,
        wanted: Option<&str>,
        status: &Status,
        configuration: &Configuration,
    ) -> Result<Self, String> {
        let Some(found) = status.resource(resource) else {
            let ours = status.resources.iter().filter(|one| agent_of(one).is_some());
            let known: Vec<&str> = ours.map(|one| one.id.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(format!("the cluster has no resource {resource}; those with an address: {known}"));
        };
        let Some(agent) = agent_of(found) else {
            let expected = agent::ALL.map(Agent::resource_type).join(", ");
            return Err(format!("{resource} is of type {}: expected one of {expected}", found.agent));
        };
        if let Some(bundle) = &configuration.bundle {
            return Err(format!(
                "{resource} is inside the bundle {bundle}: it moves only with its container"
            ));
        }
        fit(status)?;
        // A ban may be the reason why it does not run.
        if let Some(FailCount { node, count, .. }) =
            status.fail_counts.iter().find(|one| one.resource == resource)
        {
            return Err(format!(
                "the fail-count of {resource} on {node} is {count}: find out why, then crm_resource --cleanup --resource {resource}"
            ));
        }
        let from = runs_on(found, status)?;
        if let Some(constraint) = configuration.left_over.first() {
            return Err(format!(
                "constraint {constraint} is left from a move by hand: crm_resource --clear --resource {resource}"
            ));
        }
        if wanted == Some(from) {
            return Err(format!("{resource} is on {from} already: name another node"));
        }
        let missing = wanted.map_or("other node".to_owned(), |wanted| format!("node {wanted}"));
        let is_fit = |node: &&CrmMonNode| match wanted {
            Some(wanted) => node.name == wanted,
            None => node.name != from && !node.is_remote && !configuration.bans.contains_key(&node.name),
        };
        let to = status.nodes.iter().find(is_fit).ok_or_else(|| format!("the cluster has no {missing}"))?;
        if let Some(constraint) = configuration.bans.get(&to.name) {
            return Err(format!(
                "{resource} is banned from {} by the constraint {constraint}: name another node",
                to.name
            ));
        }
        let ends = status.nodes.iter().filter(|node| node.name == from).chain([to]);
        if let Some((name, container)) =
            ends.into_iter().find_map(|node| Some((&node.name, node.container.as_ref()?)))
        {
            return Err(format!(
                "node {name} runs in {container}: a drill moves nothing into a container or out of one"
            ));
        }
        Ok(Self { agent, from: from.to_owned(), to: to.name.clone() })
    }
}

/// The agent of a resource, if it is one of ours.
fn agent_of(resource: &CrmMonResource) -> Option<&'static Agent> {
    agent::ALL.into_iter().find(|agent| agent.resource_type() == resource.agent)
}

/// Checks the prerequisites of a failover: a cluster that has already lost a node must not lose another for an exercise.
fn fit(status: &Status) -> Result<(), String> {
    if !status.quorum {
        return Err("the cluster has no quorum".to_owned());
    }
    for node in &status.nodes {
        let name = &node.name;
        if !node.online {
            return Err(format!("node {name} is offline"));
        }
        if let Some(flag) = node.flags.first() {
            return Err(format!("node {name} is in state {flag}"));
        }
    }
    match status.resources.iter().find_map(|one| Some((&one.id, one.flag()?))) {
        Some((id, flag)) => Err(format!("resource {id} is {flag}: crm_mon -1 shows why")),
        None => Ok(()),
    }
}

/// The one node that runs the resource.
fn runs_on<'a>(resource: &CrmMonResource, status: &'a Status) -> Result<&'a str, String> {
    let id = &resource.id;
    if !resource.managed {
        return Err(format!("{id} is not managed: is the cluster in maintenance?"));
    }
    status.settled_on(id).ok_or_else(|| {
        let nodes = if resource.nodes.is_empty() { "no node".to_owned() } else { resource.on() };
        format!(
            "{id} is {} on {nodes}: it must be started on exactly one node, with no transition in progress",
            resource.role
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn node(name: &str) -> CrmMonNode {
        CrmMonNode { name: name.to_owned(), online: true, ..CrmMonNode::default() }
    }

    fn resource(id: &str, agent: &str) -> CrmMonResource {
        CrmMonResource {
            id: id.to_owned(),
            agent: agent.to_owned(),
            role: "Started".to_owned(),
            managed: true,
            nodes: vec![node("n1")],
            ..CrmMonResource::default()
        }
    }

    fn healthy() -> (Status, Configuration) {
        let status = Status {
            quorum: true,
            nodes: vec![node("n1"), node("n2"), node("n3")],
            resources: vec![resource("eip", "ocf:heartbeat:eip"), resource("web", "systemd:httpd")],
            fail_counts: vec![FailCount {
                resource: "web".to_owned(),
                node: "n1".to_owned(),
                ..FailCount::default()
            }],
        };
        (status, Configuration::default())
    }

    #[test]
    fn it_goes_to_the_node_that_was_named_or_to_another_one() {
        let (status, configuration) = healthy();
        let to =
            |wanted| DrillPlan::new("eip", wanted, &status, &configuration).map(|plan| (plan.from, plan.to));
        let expected = |to: &str| Ok(("n1".to_owned(), to.to_owned()));
        assert_eq!(to(None), expected("n2"));
        assert_eq!(to(Some("n3")), expected("n3"));
        let bans = BTreeMap::from([("n2".to_owned(), "never".to_owned())]);
        let banned = Configuration { bans, ..Configuration::default() };
        assert_eq!(DrillPlan::new("eip", None, &status, &banned).map(|plan| plan.to).as_deref(), Ok("n3"));
        let refused = DrillPlan::new("eip", Some("n2"), &status, &banned).unwrap_err();
        assert_eq!(refused, "eip is banned from n2 by the constraint never: name another node");
        assert!(to(Some("n1")).unwrap_err().contains("on n1 already"));
        assert!(to(Some("n4")).unwrap_err().contains("no node n4"));
    }

    /// `crm_mon` sorts its nodes by name: the container of a bundle came first.
    ///
    /// [ctl-4]
    #[test]
    fn it_goes_to_a_cluster_node_and_to_a_remote_one_only_if_that_was_named() {
        let (mut status, configuration) = healthy();
        let remote = CrmMonNode { is_remote: true, ..node("a-remote") };
        let guest =
            CrmMonNode { is_remote: true, container: Some("app-docker-0".to_owned()), ..node("app-0") };
        status.nodes.splice(0..0, [remote, guest]);
        let to = |status: &Status, wanted| {
            DrillPlan::new("eip", wanted, status, &configuration).map(|plan| plan.to)
        };
        assert_eq!(to(&status, None).as_deref(), Ok("n2"));
        assert_eq!(to(&status, Some("a-remote")).as_deref(), Ok("a-remote"));
        let expected =
            "node app-0 runs in app-docker-0: a drill moves nothing into a container or out of one";
        assert_eq!(to(&status, Some("app-0")).unwrap_err(), expected);
        status.resources[0].nodes = vec![node("app-0")];
        assert_eq!(to(&status, None).unwrap_err(), expected);
    }

    #[test]
    fn each_flaw_alone_is_in_the_way() {
        type Flaw = fn(&mut Status, &mut Configuration);
        let flaws: [(&str, Flaw); 13] = [
            ("inside the bundle web-bundle", |_, c| c.bundle = Some("web-bundle".to_owned())),
            ("no quorum", |s, _| s.quorum = false),
            ("node n3 is offline", |s, _| s.nodes[2].online = false),
            ("node n2 is in state standby", |s, _| s.nodes[1].flags.push("standby")),
            ("resource web is failed", |s, _| s.resources[1].failed = true),
            ("eip is not managed", |s, _| s.resources[0].managed = false),
            ("eip is Stopped on no node", |s, _| {
                s.resources[0].role = "Stopped".to_owned();
                s.resources[0].nodes.clear();
            }),
            ("with no transition in progress", |s, _| s.resources[0].pending = "Migrating".to_owned()),
            ("--cleanup", |s, _| s.fail_counts[0].resource = "eip".to_owned()),
            ("--cleanup", |s, _| {
                s.fail_counts[0].resource = "eip".to_owned();
                s.resources[0].role = "Stopped".to_owned();
                s.resources[0].nodes.clear();
            }),
            ("--clear", |_, c| c.left_over.push("cli-prefer-eip".to_owned())),
            ("those with an address: none", |s, _| drop(s.resources.remove(0))),
            ("is of type systemd:x", |s, _| s.resources[0].agent = "systemd:x".to_owned()),
        ];
        for (expected, flaw) in flaws {
            let (mut status, mut configuration) = healthy();
            flaw(&mut status, &mut configuration);
            let why = DrillPlan::new("eip", None, &status, &configuration).unwrap_err();
            assert!(why.contains(expected), "{expected}: {why}");
        }
        let (mut status, configuration) = healthy();
        status.nodes.truncate(1);
        assert!(DrillPlan::new("eip", None, &status, &configuration).unwrap_err().contains("no other node"));
    }
}
