//! Each rule with something that breaks it, and with something close that does not.

use aws_sim::{FaultKind, ImdsState};

use super::*;
use crate::pacemaker::{OVERLAY, PRIVATE, RESOURCE};

fn node(name: &str) -> Option<NodeName> {
    name.parse().ok()
}

fn held(at: Epoch, by: &str, made_by: &str) -> HolderSince {
    HolderSince { at, by: node(by), made_by: node(made_by) }
}

fn began(at: Epoch, on: &str, action: &str) -> Event {
    let kind = EventKind::Executing { action: action.into(), resource: RESOURCE.into() };
    Event { at, node: on.parse().unwrap(), kind }
}

fn ended(at: Epoch, on: &str, action: &str, result: &str) -> Event {
    let kind = EventKind::Ended { action: action.into(), resource: RESOURCE.into(), result: result.into() };
    Event { at, node: on.parse().unwrap(), kind }
}

fn order(at: Epoch, sender: &str) -> MutatingCall {
    MutatingCall { sender: node(sender), at, what: "AssociateAddress".into() }
}

fn struck(failure: Disruption, on: &str) -> Struck {
    Struck { failure, node: node(on), from: 10.0, to: Some(15.0), killed: None, note: None }
}

/// A correct takeover by n2.
fn takeover() -> RoundEvidence {
    RoundEvidence {
        address: &ELASTIC,
        from: 10.0,
        history: vec![held(1.0, "n1", "n1"), held(12.3, "n2", "n2")],
        orders: vec![order(12.2, "n2")],
        events: vec![began(12.0, "n2", "start"), ended(12.5, "n2", "start", "ok")],
        struck: Vec::new(),
    }
}

fn only_breach(seen: &RoundEvidence) -> String {
    let found = breaches(seen);
    assert_eq!(found.len(), 1, "{found:?}");
    found.concat()
}

#[test]
fn a_takeover_breaks_no_rule() {
    assert_eq!(breaches(&takeover()), Vec::<String>::new());
}

#[test]
fn a_release_of_anothers_address_is_found_and_one_by_hand_is_not_counted() {
    let mut seen = takeover();
    seen.history.push(held(13.0, "", "n1"));
    assert_eq!(only_breach(&seen), "n1 released the address of n2");
    seen.history.pop();
    seen.history.push(held(13.0, "", ""));
    assert_eq!(breaches(&seen), Vec::<String>::new());
}

#[test]
fn route_tables_that_follow_one_by_one_are_no_release_and_a_stop_that_changes_them_is_found() {
    let mut seen = takeover();
    seen.address = &OVERLAY;
    seen.history.insert(1, held(12.2, "", "n2"));
    seen.events.extend([began(14.0, "n1", "stop"), ended(14.5, "n1", "stop", "ok")]);
    assert_eq!(breaches(&seen), Vec::<String>::new());
    seen.orders.push(order(14.2, "n1"));
    assert!(only_breach(&seen).starts_with("n1 sent"));
    seen.address = &ELASTIC;
    seen.history.remove(1);
    assert_eq!(breaches(&seen), Vec::<String>::new(), "the stop of an elastic IP releases it");
}

#[test]
fn a_call_after_its_action_or_from_a_monitor_is_found() {
    let mut seen = takeover();
    seen.orders = vec![order(14.0, "n2")];
    assert!(only_breach(&seen).contains("n2 sent AssociateAddress at 4.000 s"));
    let mut seen = takeover();
    seen.orders.push(order(12.2, "n1"));
    seen.events.push(began(12.1, "n1", "monitor"));
    assert!(only_breach(&seen).starts_with("n1 sent"));
}

#[test]
fn an_action_without_a_recorded_end_may_send_calls_until_its_timeout() {
    let mut seen = takeover();
    seen.events.pop();
    seen.orders.push(order(40.0, "n2"));
    assert_eq!(breaches(&seen), Vec::<String>::new());
    seen.orders.push(order(80.0, "n2"));
    only_breach(&seen);
}

#[test]
fn an_agent_that_had_to_be_killed_by_the_cluster_is_found() {
    let mut seen = takeover();
    seen.events = vec![began(12.0, "n2", "start"), ended(72.0, "n2", "start", "Timed Out (process killed)")];
    assert!(only_breach(&seen).contains("no answer in time"));
    seen.struck = vec![struck(Disruption::NodeStopped, "n2")];
    assert_eq!(breaches(&seen), Vec::<String>::new());
}

#[test]
fn a_start_that_reports_ok_and_never_held_the_address_is_found() {
    let mut seen = takeover();
    seen.history.pop();
    assert!(only_breach(&seen).contains("start on n2 returned 0 and never held"));
}

#[test]
fn a_start_that_takes_the_address_back_from_a_later_one_is_found() {
    let mut seen = takeover();
    seen.events = vec![
        began(11.0, "n1", "start"),
        began(12.0, "n2", "start"),
        ended(12.5, "n2", "start", "ok"),
        ended(14.0, "n1", "start", "ok"),
    ];
    let own = held(11.5, "n1", "n1");
    seen.history = vec![held(1.0, "", "n1"), own, held(12.3, "n2", "n2"), held(13.5, "n1", "n1")];
    seen.orders = vec![order(11.4, "n1"), order(12.2, "n2"), order(13.4, "n1")];
    assert!(only_breach(&seen).contains("the start of n1 took the address a second time"));
    // Its first call never succeeded: the cluster requested both, and the last one wins.
    seen.history.remove(1);
    assert_eq!(breaches(&seen), Vec::<String>::new());
}

#[test]
fn not_running_is_wrong_of_a_node_that_held_the_address_all_the_time() {
    let mut seen = takeover();
    seen.events.push(ended(20.0, "n2", "monitor", "not running (held by n1)"));
    assert!(only_breach(&seen).contains("a monitor of n2 reported at 10.000 s"));
    // A single failing source is no excuse, but the monitor takes longer: it may have begun before the takeover.
    seen.struck = vec![struck(Disruption::MetadataIll(ImdsState::Hang), "n2")];
    assert_eq!(breaches(&seen), Vec::<String>::new());
    seen.history = vec![held(-20.0, "n2", "n2")];
    only_breach(&seen);
    seen.struck.push(struck(Disruption::ApiIll(FaultKind::Hang), "n2"));
    assert_eq!(breaches(&seen), Vec::<String>::new());
}

#[test]
fn an_address_that_is_on_no_device_is_correctly_denied() {
    for address in [&PRIVATE, &OVERLAY] {
        let mut seen = takeover();
        (seen.address, seen.orders) = (address, Vec::new());
        let denial = EventKind::Ended {
            action: "monitor".into(),
            resource: address.resource.into(),
            result: "not running (not on a device)".into(),
        };
        seen.events = vec![Event { at: 20.0, node: "n2".parse().unwrap(), kind: denial }];
        assert!(only_breach(&seen).contains("a monitor of n2 reported at 10.000 s"));
        for failure in [Disruption::PowerCut, Disruption::LinkDown] {
            seen.struck = vec![struck(failure, "n2")];
            assert_eq!(breaches(&seen), Vec::<String>::new(), "its devices were emptied, or down");
        }
        seen.struck.clear();
        seen.history = vec![held(1.0, "n1", "n1"), held(12.3, "n2", "")];
        assert_eq!(breaches(&seen), Vec::<String>::new(), "given to it by hand, in EC2 alone");
    }
}
