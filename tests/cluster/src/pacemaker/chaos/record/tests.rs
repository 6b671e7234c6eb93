//! Figures and lines of rounds.

use super::*;
use crate::timeline::Gap;

fn told(outage: f64) -> RoundReport {
    let outage = Gap { total: outage, longest: outage };
    let course = Course {
        address: &ELASTIC,
        holders: (None, None),
        had_to_stay: false,
        moves: 1,
        unassigned: outage,
        outage,
    };
    let actions = ["start", "stop", "start"].map(str::to_owned).into();
    RoundReport { courses: vec![course], actions, ..RoundReport::default() }
}

#[test]
fn the_figures_are_sums_and_the_middle_of_all_rounds() {
    let mut record = ChaosRecord::new(2, 7);
    for outage in [9.0, 1.0, 3.0] {
        record.add(told(outage), false);
    }
    let summary = record.summary();
    for row in [
        "| rounds | 3 |",
        "| wrong states | 0 |",
        "| eip: times it came to another node | 3 |",
        "| actions in the logs | 6 start, 3 stop |",
        "| eip: longest outage of a client in a round | 1.0 to 9.0 s, median 3.0 s |",
    ] {
        assert!(summary.contains(row), "{row}: {summary}");
    }
}

#[test]
fn a_wrong_round_is_counted_and_gives_the_reason_in_its_line() {
    let mut record = ChaosRecord::new(2, 7);
    let plan = RoundPlan::of(7, 2, 1, None);
    assert!(line(&plan, 2, &told(1.0), Some("two holders")).contains("! two holders"));
    record.add(told(1.0), true);
    assert!(record.summary().contains("| wrong states | 1 |"));
}
