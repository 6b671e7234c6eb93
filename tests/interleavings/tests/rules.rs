//! Random orders of events on two and three nodes. `INTERLEAVINGS=20000 cargo test --release -p interleavings` plays more of them.
//! What fails is printed as a plan with its seed: the same plan gives the same run.

use std::cell::Cell;

use interleavings::plan::{Plan, plans};
use interleavings::run::run;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// Plays as many plans as asked for, fails with the smallest that breaks a rule, and says how much was played.
fn play(nodes: usize) {
    let cases = std::env::var("INTERLEAVINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000);
    let shrink =
        std::env::var("INTERLEAVINGS_SHRINK").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: shrink, ..Config::default() };
    let (actions, killed) = (Cell::new(0), Cell::new(0));
    let outcome = TestRunner::new(config).run(&plans(nodes), |plan: Plan| {
        let finding = run(&plan);
        actions.set(actions.get() + finding.actions);
        killed.set(killed.get() + finding.killed);
        match finding.breaches.first() {
            None => Ok(()),
            Some(_) => Err(TestCaseError::fail(format!("{}\n{plan}", finding.breaches.join("\n")))),
        }
    });
    println!("{nodes} nodes: {cases} runs, {} actions, {} of them killed", actions.get(), killed.get());
    assert!(killed.get() > 0 || cases < 100, "no process was ever killed");
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn two_nodes_in_any_order() {
    play(2);
}

#[test]
fn three_nodes_in_any_order() {
    play(3);
}
