//! The figures and the lines of rounds.

use super::*;

fn told(outage: f64) -> RoundReport {
    let mut told = RoundReport::default();
    told.elastic.moves = 1;
    told.elastic.outage.longest = outage;
    told.actions = vec!["start".into(), "stop".into(), "start".into()];
    told
}

#[test]
fn the_figures_are_sums_and_the_middle_of_all_rounds() {
    let mut record = ChaosRecord::new(2, 7);
    for (number, outage) in [(1, 9.0), (2, 1.0), (3, 3.0)] {
        record.add(RoundPlan::of(7, 2, number, None), told(outage), None);
    }
    let summary = record.summary();
    for row in [
        "| rounds | 3 |",
        "| wrong states | 0 |",
        "| times it came to another node | 3 |",
        "| actions in the logs | 6 start, 3 stop |",
        "| longest outage of a client of the elastic IP in a round | 1.0 to 9.0 s, median 3.0 s |",
    ] {
        assert!(summary.contains(row), "{row}: {summary}");
    }
}

#[test]
fn a_wrong_round_gives_the_reason_in_its_line_and_in_the_table() {
    let mut record = ChaosRecord::new(2, 7);
    let plan = RoundPlan::of(7, 2, 1, None);
    assert!(line(&plan, 2, &told(1.0), Some("two holders")).contains("! two holders"));
    record.add(plan, told(1.0), Some("two holders".into()));
    assert!(record.summary().contains("| wrong states | 1 |"));
    assert!(record.table().contains("WRONG: two holders"));
}
