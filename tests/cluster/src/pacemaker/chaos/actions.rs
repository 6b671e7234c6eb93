//! The agent's actions according to the nodes' logs: where and when they began and ended. Pure.

use crate::pacemaker::journal::{Event, EventKind};
use crate::topology::NodeName;
use crate::wait::Epoch;

/// One action of the agent. Recurring monitors are not included, because the logs show only results that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedAction {
    pub node: NodeName,
    /// `start`, `stop`, `migrate_from`, ..., or `monitor` for a probe.
    pub name: String,
    /// When the executor began it.
    pub began: Epoch,
    /// When the controller logged its result, and the result; `None` if it never did.
    pub ended: Option<(Epoch, String)>,
}

/// The actions of a resource that began, in order.
pub fn actions(events: &[Event], of: &str) -> Vec<LoggedAction> {
    let mut found: Vec<LoggedAction> = Vec::new();
    for event in events {
        match &event.kind {
            EventKind::Executing { action, resource } if resource == of => {
                found.push(LoggedAction {
                    node: event.node,
                    name: action.clone(),
                    began: event.at,
                    ended: None,
                });
            }
            EventKind::Ended { action, resource, result } if resource == of => {
                let own = |one: &&mut LoggedAction| {
                    one.node == event.node && one.name == *action && one.ended.is_none()
                };
                if let Some(open) = found.iter_mut().rev().find(own) {
                    open.ended = Some((event.at, result.clone()));
                }
            }
            _ => {}
        }
    }
    found
}

/// Results of a resource's monitors and probes: where, when, and the result.
pub fn monitors<'e>(events: &'e [Event], of: &str) -> impl Iterator<Item = (NodeName, Epoch, &'e str)> {
    events.iter().filter_map(move |event| match &event.kind {
        EventKind::Ended { action, resource, result } if resource == of && action == "monitor" => {
            Some((event.node, event.at, result.as_str()))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacemaker::RESOURCE;

    fn event(at: Epoch, node: &str, kind: EventKind) -> Event {
        Event { at, node: node.parse().unwrap(), kind }
    }

    fn executing(action: &str) -> EventKind {
        EventKind::Executing { action: action.into(), resource: RESOURCE.into() }
    }

    fn ended(action: &str, result: &str) -> EventKind {
        EventKind::Ended { action: action.into(), resource: RESOURCE.into(), result: result.into() }
    }

    #[test]
    fn an_action_ends_on_the_node_where_it_began_or_never() {
        let events = [
            event(1.0, "n1", executing("start")),
            event(1.5, "n2", executing("start")),
            event(2.0, "n2", ended("start", "ok")),
        ];
        let found = actions(&events, RESOURCE);
        assert_eq!(
            found.iter().map(|a| a.ended.clone()).collect::<Vec<_>>(),
            [None, Some((2.0, "ok".into()))]
        );
    }
}
