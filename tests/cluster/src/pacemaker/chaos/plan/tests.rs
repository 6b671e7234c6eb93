//! The plans that seeds give.

use super::*;

fn plans(seed: u64, nodes: u8) -> Vec<RoundPlan> {
    (1..=60).map(|round| RoundPlan::of(seed, nodes, round, None)).collect()
}

#[test]
fn the_same_seed_gives_the_same_plans_and_another_one_others() {
    assert_eq!(plans(7, 2), plans(7, 2));
    assert_ne!(plans(7, 2), plans(8, 2));
    assert_ne!(plans(7, 2), plans(7, 3));
}

#[test]
fn every_kind_of_failure_happens_within_a_deck() {
    for nodes in [2, 3] {
        let plans: Vec<_> = (1..=25).map(|round| RoundPlan::of(1, nodes, round, None)).collect();
        for (kind, name) in KINDS.iter().enumerate().filter(|(kind, _)| draw::happens(*kind, nodes)) {
            let has = |plan: &RoundPlan| plan.strikes.iter().any(|strike| strike.failure.kind() == kind);
            assert!(plans.iter().any(has), "{name} with {nodes} nodes");
        }
    }
}

#[test]
fn a_round_has_a_failure_and_ends_in_time() {
    for plan in plans(3, 2).iter().chain(&plans(3, 3)) {
        assert!(!plan.strikes.is_empty(), "{plan}");
        let last = plan.strikes.iter().map(|strike| strike.at + strike.lasts).max().unwrap();
        assert!(last <= Duration::from_millis(END), "{plan}");
    }
}

#[test]
fn rounds_in_which_nothing_may_move_are_many_but_not_most() {
    for nodes in [2, 3] {
        let quiet = plans(5, nodes).iter().filter(|p| stay::must_stay(&p.strikes, nodes)).count();
        assert!((12..=40).contains(&quiet), "{quiet} of 60 with {nodes} nodes");
    }
}

#[test]
fn nothing_is_done_twice_to_one_machine() {
    for plan in plans(11, 3) {
        let claimed: Vec<_> =
            plan.strikes.iter().filter(|s| s.failure.claims_node()).map(|s| s.whom).collect();
        let distinct = claimed.iter().enumerate().all(|(n, whom)| !claimed[..n].contains(whom));
        assert!(distinct, "{plan}");
    }
}

#[test]
fn a_kind_that_is_requested_is_in_every_round() {
    let kind = Disruption::AgentsKilled(Duration::ZERO).kind();
    for round in 1..=30 {
        let plan = RoundPlan::of(1, 2, round, Some(kind));
        assert!(plan.strikes.iter().any(|strike| strike.failure.kind() == kind), "{plan}");
    }
}
