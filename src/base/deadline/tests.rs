use super::*;

fn deadline(seconds: u64) -> Deadline {
    Deadline::new(Instant::now(), Duration::from_secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn margin_is_a_second_or_five_percent_whichever_is_larger() {
    assert_eq!(deadline(20).budget(), Duration::from_secs(19));
    assert_eq!(deadline(60).budget(), Duration::from_secs(57));
    assert_eq!(deadline(1).budget(), Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn bound_gives_up_at_the_deadline() {
    let deadline = deadline(20);
    let before = Instant::now();
    assert_eq!(deadline.bound(std::future::pending::<()>()).await, Err(OutOfTime));
    assert_eq!(before.elapsed(), Duration::from_secs(19));
    assert!(deadline.is_over());
}

#[tokio::test(start_paused = true)]
async fn pause_does_not_sleep_into_the_deadline() {
    let deadline = deadline(20);
    let before = Instant::now();
    assert!(!deadline.pause(Duration::from_secs(19)).await);
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert!(deadline.pause(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_last_query_has_its_moment_when_the_time_is_up_and_leaves_time_for_the_answer() {
    let query = async |limit: &Deadline| {
        let began = Instant::now();
        let outcome = limit.bound(tokio::task::yield_now()).await;
        (outcome, limit.bound(std::future::pending::<()>()).await, began.elapsed())
    };
    for seconds in [1, 20, 60] {
        let deadline = deadline(seconds);
        assert_eq!(deadline.for_last_query().left(), deadline.left(), "there is time: {seconds}");
        let _ = deadline.bound(std::future::pending::<()>()).await;
        assert_eq!(query(&deadline).await.0, Err(OutOfTime), "what was wrong without it");
        let (outcome, hangs, took) = query(&deadline.for_last_query()).await;
        assert_eq!((outcome, hangs), (Ok(()), Err(OutOfTime)), "{seconds}");
        assert!(took >= Duration::from_millis(100) && took <= LAST_QUERY * 2, "{seconds}: {took:?}");
        let _ = query(&deadline.for_last_query()).await;
        assert!(!deadline.with_grace().is_over(), "{seconds}: also after a second one");
    }
}

#[tokio::test(start_paused = true)]
async fn fractions_count_from_the_beginning() {
    let deadline = deadline(20);
    tokio::time::advance(Duration::from_secs(3)).await;
    assert_eq!(deadline.fraction(4).left(), Duration::from_millis(1750));
    assert_eq!(deadline.within(Duration::from_secs(2)).left(), Duration::from_secs(2));
    assert_eq!(deadline.within(Duration::from_secs(200)).left(), Duration::from_secs(16));
}
