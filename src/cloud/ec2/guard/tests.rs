use super::*;
use tokio::time::{Duration, timeout};

const MOMENT: Duration = Duration::from_millis(10);

fn guard() -> (CallGuard, Rc<Cell<bool>>) {
    let superseded = Rc::new(Cell::new(false));
    let read = Rc::clone(&superseded);
    (CallGuard::new(move || read.get()), superseded)
}

#[tokio::test(start_paused = true)]
async fn a_superseded_process_makes_no_call_and_gets_no_answer() {
    let ((guard, superseded), calls) = (guard(), Cell::new(0));
    let call = async || calls.set(calls.get() + 1);
    assert!(timeout(MOMENT, guard.mutate(call())).await.is_ok() && !guard.is_over());
    superseded.set(true);
    assert!(timeout(MOMENT, guard.mutate(call())).await.is_err(), "neither called nor answered");
    assert!(calls.get() == 1 && guard.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_call_counts_as_in_flight_until_its_answer_arrives() {
    let (guard, superseded) = guard();
    let call = guard.mutate(async {
        superseded.set(true);
        tokio::time::sleep(MOMENT * 2).await;
    });
    tokio::pin!(call);
    assert!(timeout(MOMENT, &mut call).await.is_err());
    assert!(!guard.is_over());
    assert!(timeout(MOMENT * 2, &mut call).await.is_err(), "the answer is withheld");
    assert!(guard.is_over());
}
