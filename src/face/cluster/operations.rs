//! The actions of the agent that the cluster has on record: what, where, how long.

use std::time::Duration;

use super::cib::Cib;
use super::xml::XmlElement;

/// One action of the agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentOperation {
    /// `start`, `stop`, `migrate_to` or `migrate_from`.
    pub action: String,
    /// Node that ran it.
    pub node: String,
    /// How long it took.
    pub took: Duration,
    /// Numbers of the run on its node, which distinguish it from an earlier one.
    run: (String, String),
}

impl AgentOperation {
    /// The actions of a resource that move it. The cluster keeps the last one of each node.
    pub fn all(cib: &Cib, resource: &str) -> Vec<Self> {
        let mut operations = Vec::new();
        for node in cib.document.all("node_state") {
            let mut histories = node.all("lrm_resource");
            histories.retain(|one| one.attribute("id") == resource);
            let records = histories.into_iter().flat_map(|one| one.all("lrm_rsc_op"));
            operations.extend(records.filter_map(|record| Self::of(node, record)));
        }
        operations
    }

    fn of(node: &XmlElement, record: &XmlElement) -> Option<Self> {
        let text = |name: &str| record.attribute(name).to_owned();
        let (action, node) = (text("operation"), node.attribute("uname").to_owned());
        let took = record.attribute("exec-time").parse().map(Duration::from_millis).ok()?;
        let run = (text("call-id"), text("last-rc-change"));
        (action != "monitor" && action != "reload").then_some(Self { action, node, took, run })
    }

    /// What was done since `before`, in the order of a move.
    pub fn since(now: Vec<Self>, before: &[Self]) -> Vec<Self> {
        let mut new: Vec<Self> = now.into_iter().filter(|one| !before.contains(one)).collect();
        let live = new.iter().any(|one| one.action == "migrate_from");
        // A stop follows a live move, and otherwise precedes the start.
        new.sort_by_key(|one| match one.action.as_str() {
            "migrate_to" => 0,
            "stop" if !live => 1,
            "stop" => 3,
            _ => 2,
        });
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_actions_are_read_in_the_form_of_each_pacemaker() {
        for xml in [
            include_str!("fixtures/cib-1.1.24.xml"),
            include_str!("fixtures/cib-2.1.5.xml"),
            include_str!("fixtures/cib-3.0.3.xml"),
        ] {
            let of = |xml: &str| AgentOperation::all(&Cib::parse(xml).unwrap(), "eip");
            let all = of(xml);
            let shown = |one: &AgentOperation| (one.action.clone(), one.node.clone(), one.took.as_millis());
            let expected = [("stop".into(), "n1".into(), 41), ("start".into(), "n2".into(), 57)];
            assert_eq!(all.iter().map(shown).collect::<Vec<_>>(), expected);
            let back = xml.replace("call-id=\"10\"", "call-id=\"16\"");
            let new = AgentOperation::since(of(&back), &all);
            assert_eq!(new.iter().map(shown).collect::<Vec<_>>(), expected[1..]);
        }
        let saved = Cib::parse("<cib><configuration><resources/></configuration></cib>").unwrap();
        assert_eq!(AgentOperation::all(&saved, "eip"), []);
    }

    #[test]
    fn the_stop_after_a_live_move_is_its_last_part() {
        let one = |action: &str| AgentOperation {
            action: action.to_owned(),
            node: String::new(),
            took: Duration::ZERO,
            run: Default::default(),
        };
        let order = |actions: [&str; 2]| {
            let sorted = AgentOperation::since(actions.map(one).into(), &[]);
            sorted.into_iter().map(|one| one.action).collect::<Vec<_>>()
        };
        assert_eq!(order(["stop", "migrate_from"]), ["migrate_from", "stop"]);
        assert_eq!(order(["start", "stop"]), ["stop", "start"]);
    }
}
