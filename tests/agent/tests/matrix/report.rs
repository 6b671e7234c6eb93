//! The table of results for human readers: per fault and scene, and every case in groups.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use agent_tests::AddressKind;

use crate::case::{LoggedCall, MatrixCase};
use crate::conduct::{CaseOutcome, TIMEOUT};
use crate::scene::MatrixScene;

/// Outcomes of the cases, in their order.
type Results = [Result<Option<CaseOutcome>, String>];

/// Writes the table and returns its path.
pub(crate) fn write(
    cases: &[MatrixCase],
    results: &Results,
    scenes: &[(&AddressKind, &MatrixScene)],
    calls: &[Vec<LoggedCall>],
    took: Duration,
) -> PathBuf {
    let pairs: Vec<_> = cases.iter().zip(results).collect();
    let mut text = String::from("# Fault matrix\n\n");
    let wrong = results.iter().filter(|result| result.is_err()).count();
    let skipped = results.iter().filter(|result| matches!(result, Ok(None))).count();
    let longest =
        pairs.iter().filter_map(|(_, result)| done(result)).map(|done| done.took).max().unwrap_or_default();
    let _ = writeln!(
        text,
        "{} cases in {:.0} s: {wrong} wrong, {skipped} skipped. The longest took {:.2} s of {} s.\n",
        cases.len(),
        took.as_secs_f64(),
        longest.as_secs_f64(),
        TIMEOUT.as_secs()
    );
    actions(&mut text, &pairs, scenes, calls);
    faults(&mut text, &pairs);
    groups(&mut text, &pairs);
    let folder = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let path = folder.join("matrix.md");
    std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}

fn done(result: &Result<Option<CaseOutcome>, String>) -> Option<&CaseOutcome> {
    result.as_ref().ok().and_then(Option::as_ref)
}

/// Writes a line for each action of each kind: its calls, cases, exit codes and longest times.
fn actions(
    text: &mut String,
    pairs: &[(&MatrixCase, &Result<Option<CaseOutcome>, String>)],
    scenes: &[(&AddressKind, &MatrixScene)],
    calls: &[Vec<LoggedCall>],
) {
    text.push_str(
        "| kind | action | calls | cases | longest, fault once | longest, fault permanent | exit codes |\n",
    );
    text.push_str("| --- | --- | ---: | ---: | ---: | ---: | --- |\n");
    for ((kind, scene), calls) in scenes.iter().zip(calls) {
        let same = |case: &MatrixCase| case.kind.name == kind.name && case.scene.name == scene.name;
        let own: Vec<_> = pairs.iter().filter(|(case, _)| same(case)).collect();
        let longest = |lasting: bool| {
            let times = own.iter().filter(|(case, _)| case.lasts() == lasting);
            let longest = times.filter_map(|(_, result)| done(result)).map(|done| done.took).max();
            longest.map_or_else(String::new, |took| format!("{:.1} s", took.as_secs_f64()))
        };
        let mut codes: BTreeMap<i32, u32> = BTreeMap::new();
        for done in own.iter().filter_map(|(_, result)| done(result)) {
            *codes.entry(done.code).or_default() += 1;
        }
        let codes: Vec<String> = codes.iter().map(|(code, count)| format!("{code}: {count}")).collect();
        let (once, ever) = (longest(false), longest(true));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {once} | {ever} | {} |",
            kind.name,
            scene.name,
            calls.len(),
            own.len(),
            codes.join(", ")
        );
    }
}

/// Writes a line for each fault: cases, how many the action survived, longest time.
fn faults(text: &mut String, pairs: &[(&MatrixCase, &Result<Option<CaseOutcome>, String>)]) {
    text.push_str(
        "\n| fault | lasts | cases | as without it | longest |\n| --- | --- | ---: | ---: | ---: |\n",
    );
    let mut rows: BTreeMap<_, (u32, u32, Duration)> = BTreeMap::new();
    for (case, result) in pairs {
        let row = rows.entry((case.fault.name, case.length)).or_default();
        row.0 += 1;
        if let Some(done) = done(result) {
            let usual = (case.scene.usual_code(), case.scene.usual_holder(case.kind));
            row.1 += u32::from((done.code, done.holder) == usual);
            row.2 = row.2.max(done.took);
        }
    }
    for ((fault, length), (count, same, longest)) in rows {
        let longest = longest.as_secs_f64();
        let _ = writeln!(text, "| {fault} | {} | {count} | {same} | {longest:.1} s |", length.name());
    }
}

/// Writes the outcome of every case: exit code and holder, and the faults that led there.
fn groups(text: &mut String, pairs: &[(&MatrixCase, &Result<Option<CaseOutcome>, String>)]) {
    text.push_str(
        "\n| kind | action | struck | lasts | exit code, holder | faults |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let mut rows: BTreeMap<_, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    for (case, result) in pairs {
        let what = match result {
            Ok(Some(done)) => format!("{}, {:?}", done.code, done.holder),
            Ok(None) => "skipped".to_owned(),
            Err(_) => "WRONG".to_owned(),
        };
        let key = (case.kind.name, case.scene.name, case.target.to_string(), case.length);
        rows.entry(key).or_default().entry(what).or_default().insert(case.fault.name);
    }
    for ((kind, scene, target, length), row) in rows {
        for (what, faults) in row {
            let faults = faults.into_iter().collect::<Vec<_>>().join("; ");
            let _ = writeln!(text, "| {kind} | {scene} | {target} | {} | {what} | {faults} |", length.name());
        }
    }
}
