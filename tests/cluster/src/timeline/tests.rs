use super::*;

fn node(name: &str) -> NodeName {
    name.parse().unwrap()
}

fn held(at: Epoch, by: &str) -> HolderSince {
    HolderSince { at, by: by.parse().ok(), made_by: None }
}

fn gap(total: f64, longest: f64) -> Gap {
    Gap { total, longest }
}

#[test]
fn a_move_with_a_stop_leaves_the_address_unassigned_in_between() {
    let history = [held(1.0, "n1"), held(10.5, ""), held(11.25, "n2")];
    assert_eq!(unassigned(&history, 10.0, 20.0), gap(0.75, 0.75));
}

#[test]
fn a_migration_never_leaves_the_address_unassigned() {
    let history = [held(1.0, "n1"), held(10.5, "n2")];
    assert_eq!(unassigned(&history, 10.0, 20.0), gap(0.0, 0.0));
}

#[test]
fn a_dead_holder_is_no_holder() {
    let history = [held(1.0, "n1"), held(13.0, "n2")];
    let dead = [UnusableSpan { node: node("n1"), from: 10.0, to: None }];
    assert_eq!(unheld(&history, &dead, 10.0, 20.0), gap(3.0, 3.0));
    assert_eq!(unassigned(&history, 10.0, 20.0), gap(0.0, 0.0), "according to EC2 it was held all the time");
}

#[test]
fn a_dead_holder_and_then_none_is_one_gap() {
    let history = [held(1.0, "n1"), held(12.0, ""), held(13.0, "n2")];
    let dead = [UnusableSpan { node: node("n1"), from: 10.0, to: Some(30.0) }];
    assert_eq!(unheld(&history, &dead, 10.0, 20.0), gap(3.0, 3.0));
}

#[test]
fn two_gaps_are_added_and_the_longer_one_is_named() {
    let history = [held(1.0, "n1"), held(11.0, ""), held(12.0, "n1"), held(14.0, ""), held(16.5, "n2")];
    assert_eq!(unassigned(&history, 10.0, 20.0), gap(3.5, 2.5));
}

#[test]
fn an_address_never_associated_is_unassigned_for_the_whole_window() {
    assert_eq!(unassigned(&[], 10.0, 20.0), gap(10.0, 10.0));
}

#[test]
fn what_happened_before_the_window_does_not_count() {
    let history = [held(1.0, ""), held(9.0, "n1")];
    assert_eq!(unassigned(&history, 10.0, 20.0), gap(0.0, 0.0));
}

#[test]
fn a_release_by_another_than_the_holder_is_found() {
    let made = |held: HolderSince, by: &str| HolderSince { made_by: by.parse().ok(), ..held };
    let (first, taken) = (made(held(1.0, "n1"), "n1"), made(held(2.0, "n2"), "n2"));
    let (own, stolen) = (made(held(3.0, ""), "n2"), made(held(3.0, ""), "n1"));
    assert_eq!(thefts(&[first, taken, own], 0.0), [], "a takeover and a stop are none");
    assert_eq!(thefts(&[first, taken, stolen], 0.0), [(taken, stolen)]);
    assert_eq!(thefts(&[first, taken, stolen], 3.5), [], "before the window");
}

fn sample(ended: Epoch, answer: &str) -> Sample {
    Sample { began: ended - 0.01, ended, answer: answer.parse().ok() }
}

#[test]
fn an_outage_runs_from_the_last_good_answer_to_the_first() {
    let samples =
        [sample(10.1, "n1"), sample(10.2, ""), sample(10.3, ""), sample(13.1, "n2"), sample(13.2, "n2")];
    let found = outage(&samples, 10.0, 13.3);
    assert!((found.longest - 3.0).abs() < 1e-9 && (found.total - 3.0).abs() < 1e-9, "{found:?}");
}

#[test]
fn slow_answers_are_no_outage() {
    let samples = [sample(10.1, "n1"), sample(12.0, "n1")];
    assert_eq!(outage(&samples, 10.0, 12.1), gap(0.0, 0.0));
}

#[test]
fn an_outage_that_never_ends_lasts_to_the_end_of_the_window() {
    let samples = [sample(10.5, "n1"), sample(10.6, "")];
    assert_eq!(outage(&samples, 10.0, 20.0), gap(9.5, 9.5));
}

#[test]
fn marks_are_relative_to_the_failure() {
    let marks = Marks { failure: 100.0, moved: Some(102.5), ..Marks::default() };
    assert_eq!(marks.after(marks.moved), Some(2.5));
    assert_eq!(marks.after(marks.answered), None);
}

#[test]
fn a_client_that_reaches_the_old_node_again_has_reached_three_nodes() {
    let samples = ["n1", "n1", "", "n2", "n2", "n1"].map(|answer| sample(10.0, answer));
    assert_eq!(voices(&samples), ["n1", "n2", "n1"].map(node));
    assert_eq!(voices(&samples[..5]), ["n1", "n2"].map(node));
}

#[test]
fn a_spread_is_the_time_of_a_mixture() {
    let history = [held(1.0, "n1"), held(10.0, ""), held(10.5, "n2"), held(20.0, ""), held(24.0, "n1")];
    assert_eq!(spreads(&history, 5.0), [0.5, 4.0]);
    assert_eq!(spreads(&history, 15.0), [4.0]);
    assert!(spreads(&history[..2], 5.0).is_empty(), "one that has not ended");
}
