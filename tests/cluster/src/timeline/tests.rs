use super::*;

/// When each node got the address, or when each answer ended.
type Timed = &'static [(Epoch, &'static str)];

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
fn gaps_in_the_window_are_added_and_the_longest_is_named() {
    let dead = |to| vec![UnusableSpan { node: node("n1"), from: 10.0, to }];
    // Holders with their times, when the first node was dead, and the gap between 10 and 20.
    let rows: [(&str, Timed, Vec<UnusableSpan>, Gap); 7] = [
        ("a stop, then a start", &[(1.0, "n1"), (10.5, ""), (11.25, "n2")], vec![], gap(0.75, 0.75)),
        ("a migration", &[(1.0, "n1"), (10.5, "n2")], vec![], gap(0.0, 0.0)),
        (
            "two gaps",
            &[(1.0, "n1"), (11.0, ""), (12.0, "n1"), (14.0, ""), (16.5, "n2")],
            vec![],
            gap(3.5, 2.5),
        ),
        ("never associated", &[], vec![], gap(10.0, 10.0)),
        ("over before the window", &[(1.0, ""), (9.0, "n1")], vec![], gap(0.0, 0.0)),
        ("a dead holder is no holder", &[(1.0, "n1"), (13.0, "n2")], dead(None), gap(3.0, 3.0)),
        (
            "a dead holder and then none",
            &[(1.0, "n1"), (12.0, ""), (13.0, "n2")],
            dead(Some(30.0)),
            gap(3.0, 3.0),
        ),
    ];
    for (name, history, unusable, expected) in rows {
        let history: Vec<_> = history.iter().map(|(at, by)| held(*at, by)).collect();
        assert_eq!(unheld(&history, &unusable, 10.0, 20.0), expected, "{name}");
    }
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
fn an_outage_runs_from_the_last_good_answer_to_the_first_or_to_the_end_of_the_window() {
    let rows: [(Timed, Epoch, f64); 3] = [
        (&[(10.1, "n1"), (10.2, ""), (10.3, ""), (13.1, "n2"), (13.2, "n2")], 13.3, 3.0),
        // Slow answers are no outage.
        (&[(10.1, "n1"), (12.0, "n1")], 12.1, 0.0),
        (&[(10.5, "n1"), (10.6, "")], 20.0, 9.5),
    ];
    for (samples, to, expected) in rows {
        let samples: Vec<_> = samples.iter().map(|(ended, answer)| sample(*ended, answer)).collect();
        let found = outage(&samples, 10.0, to);
        let right = |seconds: f64| (seconds - expected).abs() < 1e-9;
        assert!(right(found.longest) && right(found.total), "{found:?}, expected {expected}");
    }
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
