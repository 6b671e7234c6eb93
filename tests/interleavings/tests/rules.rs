//! Random orders of events on two and three nodes. `INTERLEAVINGS=20000 cargo test -p interleavings` plays more of them,
//! `INTERLEAVINGS_SEED=2` others: by itself every run plays the same ones, so that a failure is there again in the next run.
//! What fails is printed as a plan with its seed: the same plan gives the same run.

use std::cell::Cell;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};

use interleavings::kinds::PlayedKind;
use interleavings::plan::{Plan, plans};
use interleavings::run::run;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// Returns the number that a variable says, or else the usual one.
fn number<N: FromStr>(variable: &str, usual: N) -> N {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable}={text}: expected a number")),
        Err(_) => usual,
    }
}

/// Returns what makes up plans: the same ones for the same seed.
fn runner(seed: u64, config: Config) -> TestRunner {
    let seeds = [seed, 0, 0, 0].map(u64::to_le_bytes).concat();
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seeds))
}

/// Whether a rule was broken. Unless the smallest plan that breaks it is wanted, one is enough and all tests end.
static BROKEN: AtomicBool = AtomicBool::new(false);

/// Plays as many plans as asked for, fails with the smallest that breaks a rule, and says how much was played.
fn play(kind: PlayedKind, nodes: usize) {
    let cases = number("INTERLEAVINGS", 3_000);
    let shrink = number("INTERLEAVINGS_SHRINK", 4_000);
    let seed: u64 = number("INTERLEAVINGS_SEED", 1);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: shrink, ..Config::default() };
    let (actions, killed) = (Cell::new(0), Cell::new(0));
    let outcome = runner(seed, config).run(&plans(nodes), |plan: Plan| {
        if shrink == 0 && BROKEN.load(Ordering::Relaxed) {
            return Err(TestCaseError::fail("another test has found a broken rule"));
        }
        let finding = run(kind, &plan);
        actions.set(actions.get() + finding.actions);
        killed.set(killed.get() + finding.killed);
        if finding.breaches.is_empty() {
            return Ok(());
        }
        BROKEN.store(true, Ordering::Relaxed);
        Err(TestCaseError::fail(format!("{}\n{plan}", finding.breaches.join("\n"))))
    });
    println!(
        "{kind:?}, {nodes} nodes, seed {seed}: {cases} runs, {} actions, {} of them killed",
        actions.get(),
        killed.get()
    );
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(killed.get() > 0 || cases < 100, "no process was ever killed");
}

/// [holder-2] [stop-2] [start-5] [start-7] [probe-5] [time-2]
#[test]
fn elastic_on_two_nodes_in_any_order() {
    play(PlayedKind::Elastic, 2);
}

#[test]
fn elastic_on_three_nodes_in_any_order() {
    play(PlayedKind::Elastic, 3);
}

#[test]
fn private_on_two_nodes_in_any_order() {
    play(PlayedKind::Private, 2);
}

#[test]
fn private_on_three_nodes_in_any_order() {
    play(PlayedKind::Private, 3);
}

/// [overlay-1] [overlay-2] [overlay-3] [overlay-9]
#[test]
fn overlay_on_two_nodes_in_any_order() {
    play(PlayedKind::Overlay, 2);
}

#[test]
fn overlay_on_three_nodes_in_any_order() {
    play(PlayedKind::Overlay, 3);
}

#[test]
fn the_same_plan_gives_the_same_run() {
    let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
    let outcome = runner(number("INTERLEAVINGS_SEED", 1), config).run(&plans(2), |plan: Plan| {
        let kind = PlayedKind::ALL[usize::try_from(plan.seed % 3).unwrap_or_default()];
        let [first, second] = [(); 2].map(|()| {
            let finding = run(kind, &plan);
            (finding.actions, finding.killed, finding.breaches)
        });
        if first == second {
            Ok(())
        } else {
            Err(TestCaseError::fail(format!("{first:?}, {second:?}\n{plan}")))
        }
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
