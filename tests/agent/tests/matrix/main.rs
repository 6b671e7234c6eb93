//! The fault matrix: every kind of address, every action, every call it makes, every fault, once and for ever.
//!
//! The calls are those that the simulator saw in a run without faults, so none is forgotten and none is invented. Each case has its own
//! world and is judged by the rules of the behaviour: exit code, time, one reason, no panic, no secret, the holder afterwards. The
//! results are written to `matrix.md` in the target folder.
//!
//! By default it runs every third case, shifted by one from scene to scene, so that each fault of each call meets a third of the scenes
//! that make the call. `MATRIX=all` runs all of them, `MATRIX="stop"` those whose name contains that; `MATRIX_THREADS` sets how many run
//! at a time.

// Not only functions marked `#[test]` are test code here: everywhere a panic is how a test fails.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod case;
mod conduct;
mod fault;
mod gate;
mod name_server;
mod record;
mod report;
mod rules;
mod scene;

use agent_tests::{AddressKind, KINDS, SHARED_OVERLAY, all};

use crate::case::MatrixCase;
use crate::scene::{MatrixScene, SCENES};

/// Default for how many run at a time: a case waits about a hundred times as long as it computes.
const THREADS: usize = 100;

/// Applies `work` to every item, many at a time.
fn side_by_side<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<Result<R, String>> {
    let threads = std::env::var("MATRIX_THREADS").ok().and_then(|text| text.parse().ok()).unwrap_or(THREADS);
    all(items, threads, work)
}

/// Reruns the cases that failed, a few at a time, and returns them.
///
/// On a machine that is busy with something else an agent can be late, or give up a call that was only slow: an unplanned second
/// fault. A real failure fails again.
fn again_where_wrong(
    cases: &[MatrixCase],
    results: &mut [Result<Option<conduct::CaseOutcome>, String>],
) -> Vec<String> {
    let wrong: Vec<usize> = (0..cases.len()).filter(|&index| results[index].is_err()).collect();
    for part in wrong.chunks(4) {
        let again = side_by_side(part, |&index| conduct::run(&cases[index]));
        for (&index, result) in part.iter().zip(again) {
            results[index] = result;
        }
    }
    wrong.into_iter().filter(|&index| results[index].is_ok()).map(|index| cases[index].to_string()).collect()
}

/// An overlay address behind a role, in the actions that need the role.
fn by_role() -> impl Iterator<Item = (&'static AddressKind, &'static MatrixScene)> {
    let asking = ["start, first query", "start, pair on record", "monitor 10", "probe", "validate-all 10"];
    SCENES.iter().filter(move |scene| asking.contains(&scene.name)).map(|scene| (&SHARED_OVERLAY, scene))
}

/// [time-2] [holder-2] [stop-11] [code-5] [code-6] [code-7] [reason-1] [cred-5] [code-12]
#[test]
fn every_action_through_every_fault_of_every_call() {
    let began = std::time::Instant::now();
    let scenes: Vec<(&'static AddressKind, &'static MatrixScene)> = KINDS
        .iter()
        .flat_map(|kind| SCENES.iter().map(move |scene| (kind, scene)))
        .chain(by_role())
        .collect();
    let calls = side_by_side(&scenes, |(kind, scene)| conduct::calls(kind, scene));
    let calls: Vec<_> =
        calls.into_iter().map(|found| found.unwrap_or_else(|error| panic!("{error}"))).collect();
    let wanted = std::env::var("MATRIX").ok();
    let mut cases: Vec<MatrixCase> = Vec::new();
    for (number, ((kind, scene), calls)) in scenes.iter().zip(&calls).enumerate() {
        let all = case::of(kind, scene, calls).into_iter().enumerate();
        let chosen = all.filter(|(place, case)| match wanted.as_deref() {
            None => (number + place).is_multiple_of(3),
            Some(wanted) => wanted == "all" || case.to_string().contains(wanted),
        });
        cases.extend(chosen.map(|(_, case)| case));
    }
    // Those that wait for their deadline come first, so that the end does not have to wait for the last of them.
    cases.sort_by_key(|case| !case.lasts());
    let mut results = side_by_side(&cases, conduct::run);
    let disturbed = again_where_wrong(&cases, &mut results);
    let path = report::write(&cases, &results, &scenes, &calls, began.elapsed());
    let failed: Vec<String> = cases
        .iter()
        .zip(&results)
        .filter_map(|(case, result)| result.as_ref().err().map(|error| format!("{case}: {error}")))
        .collect();
    let (count, took) = (cases.len(), began.elapsed());
    println!("{count} cases in {took:?}, {} wrong: {}", failed.len(), path.display());
    println!("right only when they were run again, {}: {disturbed:#?}", disturbed.len());
    assert!(failed.is_empty(), "{} case(s) wrong:\n\n{}", failed.len(), failed.join("\n\n"));
}
