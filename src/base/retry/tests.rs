use super::*;

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct FixedPatience(Patience);

impl Retryable for FixedPatience {
    fn patience(&self) -> Patience {
        self.0
    }
}

async fn attempts_of(patience: Patience, timeout: u64) -> (usize, Duration) {
    let started = Instant::now();
    let deadline = Deadline::new(started, Duration::from_secs(timeout));
    let mut count = 0;
    let longest = Duration::from_secs(5);
    let result: Result<(), FixedPatience> = until(
        &deadline,
        longest,
        || FixedPatience(Patience::Never),
        async || {
            count += 1;
            Err(FixedPatience(patience))
        },
    )
    .await;
    assert_eq!(result, Err(FixedPatience(patience)));
    (count, started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn an_error_that_cannot_change_is_reported_at_once() {
    assert_eq!(attempts_of(Patience::Never, 20).await, (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_id_is_queried_twice() {
    assert_eq!(attempts_of(Patience::Once, 20).await.0, 2);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_has_the_time_for_its_answer() {
    for seed in 0..500 {
        fastrand::seed(seed);
        // Allows for the resolution of the clock.
        for (timeout, least) in [(20, 248), (2, 123)] {
            let deadline = Deadline::new(Instant::now(), Duration::from_secs(timeout));
            let mut backoff = Backoff::new(Duration::from_secs(5));
            while backoff.pause(&deadline, Patience::Lasting).await {
                assert!(deadline.left() > Duration::from_millis(least), "{:?} left", deadline.left());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lasting_fault_is_retried_up_to_the_deadline_but_not_past_it() {
    for patience in [Patience::Lasting, Patience::Throttled] {
        let (count, took) = attempts_of(patience, 20).await;
        assert!(count >= 4, "{patience:?}: {count} attempts");
        assert!(took <= Duration::from_secs(19) && took > Duration::from_secs(12), "{patience:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_credentials_are_retried_for_some_seconds() {
    let (_, took) = attempts_of(Patience::Brief, 60).await;
    assert!(took >= BRIEF && took < BRIEF + LONGEST_PAUSE * 2, "{took:?}");
    let (_, took) = attempts_of(Patience::Brief, 11).await;
    assert!(took < Duration::from_secs(7), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_attempt_is_cut_off_at_the_deadline() {
    let deadline = Deadline::new(Instant::now(), Duration::from_secs(5));
    let hanging = async || std::future::pending::<Result<(), FixedPatience>>().await;
    let result = until(&deadline, Duration::from_secs(1), || FixedPatience(Patience::Never), hanging).await;
    assert_eq!(result, Err(FixedPatience(Patience::Never)));
    assert!(deadline.is_over());
}

#[test]
fn pauses_stay_within_their_bounds_and_differ() {
    let (longest, ample) = (Duration::from_secs(5), Duration::from_hours(1));
    let mut firsts = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let mut backoff = Backoff::new(longest);
        firsts.insert(backoff.next(Patience::Throttled, ample));
        for _ in 0..20 {
            let pause = backoff.next(Patience::Throttled, ample);
            assert!(pause >= FIRST_THROTTLED_PAUSE / 2 && pause <= longest, "{pause:?}");
            assert!(Backoff::new(longest).next(Patience::Lasting, ample) <= LONGEST_PAUSE);
        }
    }
    assert!(firsts.len() > 100, "nodes that fail together must not come back in step");
}

#[tokio::test(start_paused = true)]
async fn pauses_after_throttling_grow_with_the_time_up_to_their_limit() {
    let (longest, ample) = (Duration::from_mins(1), Duration::from_hours(10));
    let mut backoff = Backoff::new(longest);
    let mut attempts = 0;
    while backoff.began.elapsed() < Duration::from_hours(1) {
        let waited = backoff.began.elapsed();
        let pause = backoff.next(Patience::Throttled, ample);
        assert!(pause <= YOUNG_PAUSE.max(waited / 6).min(longest), "{pause:?} after {waited:?}");
        if waited > Duration::from_mins(1) {
            assert!(pause >= (waited / 12).min(longest / 2), "{pause:?} after {waited:?}");
        }
        tokio::time::sleep(pause).await;
        attempts += 1;
    }
    assert!(attempts < 150, "{attempts} in an hour");
}

#[tokio::test(start_paused = true)]
async fn a_client_throttled_for_a_moment_is_done_in_seconds() {
    for moment in [1, 5, 20] {
        let began = Instant::now();
        let deadline = Deadline::new(began, Duration::from_mins(1));
        let attempt = async || {
            let throttled = began.elapsed() < Duration::from_secs(moment);
            if throttled { Err(FixedPatience(Patience::Throttled)) } else { Ok(()) }
        };
        let done = until(&deadline, Duration::from_mins(1), || FixedPatience(Patience::Never), attempt).await;
        assert_eq!(done, Ok(()));
        assert!(began.elapsed() <= Duration::from_secs(moment) + YOUNG_PAUSE, "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_after_throttling_comes_shortly_before_the_deadline() {
    for timeout in [5, 20, 60, 600] {
        for _ in 0..50 {
            let (_, took) = attempts_of(Patience::Throttled, timeout).await;
            let budget = Deadline::new(Instant::now(), Duration::from_secs(timeout)).budget();
            assert!(took < budget && took + FIRST_THROTTLED_PAUSE * 2 > budget, "{took:?} of {budget:?}");
        }
    }
}
