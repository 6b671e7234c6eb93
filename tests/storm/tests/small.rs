//! Storms that take little time, run with every build: `make storm` plays the large ones.

use std::time::Duration;

use storm::clusters::{Storm, StormKind};
use storm::figures::Figures;
use storm::policy::RetryPolicy;

fn play(clusters: usize, seconds: u64, policy: RetryPolicy) -> Figures {
    play_with(StormKind::Elastic, clusters, seconds, policy)
}

fn play_with(kind: StormKind, clusters: usize, seconds: u64, policy: RetryPolicy) -> Figures {
    Storm { kind, clusters, timeout: Duration::from_secs(seconds), policy, seed: 1 }.play()
}

/// [time-3]
#[test]
fn all_clusters_take_over_soon_after_the_bucket_allows_it() {
    for (clusters, seconds) in [(40, 20), (120, 20), (300, 60), (300, 300), (1000, 240), (1000, 3600)] {
        for kind in StormKind::ALL {
            let figures = play_with(kind, clusters, seconds, RetryPolicy::Ours);
            assert_eq!((figures.failed(), figures.missed()), (0, None), "{}", figures.row());
        }
    }
}

#[test]
fn a_time_that_is_too_short_for_all_is_used_to_the_end() {
    for (seconds, kind) in
        [20, 60, 90].into_iter().flat_map(|seconds| StormKind::ALL.map(|kind| (seconds, kind)))
    {
        let figures = play_with(kind, 1000, seconds, RetryPolicy::Ours);
        assert_eq!(figures.missed(), None, "{}", figures.row());
        assert!(figures.failed() > 0, "{}", figures.row());
    }
}

#[test]
fn requests_grow_with_the_digits_of_the_time_not_with_its_seconds() {
    let (small, large) = (play(300, 3600, RetryPolicy::Ours), play(3000, 3600, RetryPolicy::Ours));
    assert!(small.requests_each() < 16.0, "{}", small.row());
    assert!(large.requests_each() < small.requests_each() * 3.5, "{}{}", small.row(), large.row());
}

#[test]
fn naive_ways_fail_or_flood() {
    let (single, sdk) = (play(300, 300, RetryPolicy::Once), play(300, 300, RetryPolicy::Sdk));
    assert!(single.failed() > 240 && sdk.failed() > 200, "{}{}", single.row(), sdk.row());
    let (fixed, ours) =
        (play(1000, 3600, RetryPolicy::Fixed(Duration::from_secs(1))), play(1000, 3600, RetryPolicy::Ours));
    assert!(fixed.requests_each() > ours.requests_each() * 3.0, "{}{}", fixed.row(), ours.row());
}

#[test]
fn the_same_seed_gives_the_same_storm() {
    let (one, other) = (play(200, 60, RetryPolicy::Ours), play(200, 60, RetryPolicy::Ours));
    assert_eq!((one.taken, one.count.by_second), (other.taken, other.count.by_second));
}
