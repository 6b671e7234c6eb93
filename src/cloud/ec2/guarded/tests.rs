use super::*;
use crate::cloud::model::{Account, ModelClient};
use tokio::time::{Duration, timeout};

const MOMENT: Duration = Duration::from_millis(10);

#[tokio::test(start_paused = true)]
async fn a_superseded_process_makes_no_call_and_gets_no_answer() {
    let (account, aside) = (Account::default(), Cell::new(false));
    let id = "eipassoc-0123456789abcdef0".parse().unwrap();
    let guarded = Guarded::new(ModelClient::new(&account, "i-00000000000000001"), || aside.get());
    assert!(timeout(MOMENT, guarded.disassociate(&id)).await.is_ok());
    aside.set(true);
    assert!(timeout(MOMENT, guarded.disassociate(&id)).await.is_err(), "neither called nor answered");
    assert_eq!(account.calls().len(), 1);
    assert!(!guarded.order_under_way().get());
}

#[tokio::test(start_paused = true)]
async fn a_call_counts_as_in_flight_until_its_answer_arrives() {
    let aside = Cell::new(false);
    let client = ModelClient::new(&Account::default(), "i-00000000000000001");
    let guarded = Guarded::new(client, || aside.get());
    let under_way = guarded.order_under_way();
    let call = guarded.mutate(async {
        aside.set(true);
        tokio::time::sleep(MOMENT * 2).await;
    });
    tokio::pin!(call);
    assert!(timeout(MOMENT, &mut call).await.is_err());
    assert!(under_way.get());
    assert!(timeout(MOMENT * 2, &mut call).await.is_err(), "the answer is withheld");
    assert!(!under_way.get());
}
