//! The latency of calls.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use crate::lab::{Lab, PATIENCE, Signer, TestResult, eni, exchange_within};

/// Long compared with the delays that a busy machine adds.
const LATENCY: Duration = Duration::from_secs(2);

#[test]
fn a_client_that_goes_away_does_not_take_its_call_back() -> TestResult {
    let lab = Lab::new()?;
    lab.cloud.set_latency(LATENCY);
    let params = [("AllocationId", lab.eip.allocation_id.as_str()), ("NetworkInterfaceId", eni(&lab.a)?)];
    let request = Signer::default().ec2("AssociateAddress", &params)?;
    let gone = exchange_within(lab.ec2, &request, LATENCY / 10).map_err(|error| error.kind());
    assert_eq!((gone, lab.cloud.holder(&lab.eip)), (Err(ErrorKind::WouldBlock), None));
    assert!(lab.cloud.wait_for_holder(PATIENCE, &lab.eip, |holder| holder.is_some()));
    Ok(())
}

#[test]
fn half_of_the_latency_passes_before_the_effect() -> TestResult {
    let lab = Lab::new()?;
    let latency = Duration::from_millis(400);
    lab.cloud.set_latency(latency);
    let from = Instant::now();
    assert_eq!(lab.associate(eni(&lab.a)?)?.status, 200);
    assert!(from.elapsed() >= latency);
    let request = lab.cloud.log().pop().ok_or("not logged")?;
    let moved = lab.cloud.history(&lab.eip).last().map(|change| change.at).ok_or("no history")?;
    let answered = request.answered_at.ok_or("not answered")?;
    assert!(moved - request.at >= 0.2 && answered - moved >= 0.2, "{request:?} moved at {moved}");
    Ok(())
}
