//! Which failed actions a round explains. Any other is an error. Pure.

use super::struck::{Struck, actions_cut_short, api_in_trouble, metadata_in_trouble};
use crate::pacemaker::crm_mon::FailedAction;
use crate::pacemaker::{ELASTIC, ManagedAddress, OVERLAY_BESIDE, PRIVATE};
use crate::timeline::HolderSince;
use crate::topology::NodeName;
use crate::wait::Epoch;

/// A monitor's exit code for an address that is not there.
const NOT_RUNNING: &str = "7";

/// The failed actions that nothing done since `from` explains, in words.
///
/// - An action that was killed, or whose result a dead daemon lost, may count as failed.
/// - A monitor may report "not running" on a node that did not hold the address all the time, and a live move may fail there.
/// - A recurring monitor may fail on a node that had neither EC2 nor its metadata service; a probe may not, nor any monitor of an
///   overlay address.
/// - A start or a stop has a minute, longer than any failure lasts: it must not fail by itself.
pub fn unexplained(
    failures: &[FailedAction],
    struck: &[Struck],
    history_of: impl Fn(&ManagedAddress) -> Vec<HolderSince>,
    from: Epoch,
) -> Vec<String> {
    let wrong = failures.iter().filter(|failure| {
        let beside = [&PRIVATE, &OVERLAY_BESIDE];
        let own =
            |address: &&&ManagedAddress| failure.operation.starts_with(&format!("{}_", address.resource));
        let address = beside.iter().find(own).copied().unwrap_or(&ELASTIC);
        let Ok(node) = failure.node.parse::<NodeName>() else { return true };
        let to = Epoch::MAX;
        let lost = !held_throughout(&history_of(address), node, from);
        // The kernel always answers.
        let alone = *address != OVERLAY_BESIDE
            && api_in_trouble(struck, node, from, to)
            && metadata_in_trouble(struck, node, from, to);
        let explained = actions_cut_short(struck, node, from, to)
            || match action(&failure.operation) {
                "monitor" => (failure.code == NOT_RUNNING && lost) || alone,
                "migrate_to" | "migrate_from" => lost,
                _ => false,
            };
        !explained
    });
    wrong.map(ToString::to_string).collect()
}

/// The action in `eip_migrate_to_0`; a probe, whose interval is 0, is not among those that may fail.
fn action(operation: &str) -> &str {
    if operation.ends_with("_monitor_0") {
        return "probe";
    }
    let known = ["monitor", "start", "stop", "migrate_to", "migrate_from"];
    known.into_iter().find(|name| operation.contains(&format!("_{name}_"))).unwrap_or_default()
}

fn held_throughout(history: &[HolderSince], node: NodeName, from: Epoch) -> bool {
    let before = history.iter().rfind(|held| held.at < from);
    before.into_iter().chain(history.iter().filter(|held| held.at >= from)).all(|held| held.by == Some(node))
}

#[cfg(test)]
mod tests {
    use aws_sim::{FaultKind, ImdsState};

    use super::*;
    use crate::pacemaker::chaos::failure::Disruption;

    fn failure(operation: &str, code: &str) -> FailedAction {
        FailedAction {
            operation: operation.into(),
            node: "n1".into(),
            code: code.into(),
            reason: String::new(),
        }
    }

    fn struck(failure: Disruption) -> Struck {
        Struck { failure, node: "n1".parse().ok(), from: 10.0, to: Some(15.0), killed: None, note: None }
    }

    fn wrong(failure: &FailedAction, struck: &[Struck], lost: bool) -> bool {
        let held = |at, name: &str| HolderSince { at, by: name.parse().ok(), made_by: name.parse().ok() };
        let history = if lost { vec![held(1.0, "n1"), held(12.0, "n2")] } else { vec![held(1.0, "n1")] };
        !unexplained(std::slice::from_ref(failure), struck, |_| history.clone(), 10.0).is_empty()
    }

    #[test]
    fn a_start_may_fail_only_if_it_was_killed() {
        let start = failure("eip_start_0", "1");
        assert!(wrong(&start, &[struck(Disruption::ApiIll(FaultKind::Hang))], true));
        assert!(!wrong(&start, &[struck(Disruption::AgentsKilled(std::time::Duration::ZERO))], false));
    }

    #[test]
    fn a_monitor_may_miss_an_address_that_went_and_no_other() {
        let monitor = failure("eip_monitor_3000", "7");
        assert!(!wrong(&monitor, &[], true));
        assert!(wrong(&monitor, &[], false));
    }

    #[test]
    fn a_monitor_may_fail_only_if_both_sources_did() {
        let monitor = failure("eip_monitor_3000", "1");
        let (api, metadata) =
            (struck(Disruption::ApiIll(FaultKind::Hang)), struck(Disruption::MetadataIll(ImdsState::Hang)));
        assert!(wrong(&monitor, std::slice::from_ref(&api), false));
        assert!(!wrong(&monitor, &[api.clone(), metadata.clone()], false));
        let overlay = failure("overlay_monitor_3000", "1");
        assert!(wrong(&overlay, &[api.clone(), metadata.clone()], false), "the kernel knows");
        let probe = failure("eip_monitor_0", "1");
        assert!(wrong(&probe, &[api, metadata], true), "in response the cluster stops the healthy copy");
    }
}
