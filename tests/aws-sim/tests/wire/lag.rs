//! Readers that are behind, and the latency of calls. How they lag is tested in the model.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use aws_sim::{Bind, Config};

use crate::{
    imds::Session,
    lab::{Lab, PATIENCE, Signer, TestResult, eni, exchange_within},
};

/// Long beside what a busy machine keeps a client waiting.
const LAG: Duration = Duration::from_secs(2);

/// Asks again and again until the answer satisfies `wanted`; returns how long that took.
fn until(mut wanted: impl FnMut() -> TestResult<bool>) -> TestResult<Duration> {
    let from = Instant::now();
    while !wanted()? {
        assert!(from.elapsed() < PATIENCE, "it never came");
        std::thread::yield_now();
    }
    Ok(from.elapsed())
}

#[test]
fn a_describe_behind_shows_the_old_holder_for_the_time_of_the_lag() -> TestResult {
    let lab = Lab::new()?;
    lab.cloud.associate(&lab.eip, eni(&lab.a)?, None);
    lab.cloud.set_describe_lag(LAG);
    let shown = || lab.describe().map(|answer| answer.element("instanceId"));
    assert_eq!(shown()?.as_deref(), Some(lab.a.id.as_str()), "what was so when the lag was set is seen");
    lab.associate(eni(&lab.b)?)?;
    assert_eq!(shown()?.as_deref(), Some(lab.a.id.as_str()), "the old holder");
    assert_eq!(lab.cloud.holder(&lab.eip).map(|h| h.instance), Some(lab.b.id.clone()), "the truth");
    let late = until(|| Ok(shown()?.as_deref() == Some(lab.b.id.as_str())))?;
    assert!(late > LAG / 2 && late < LAG * 4, "{late:?}");
    Ok(())
}

#[test]
fn what_is_built_is_seen_at_once_by_readers_behind() -> TestResult {
    let lab = Lab::with(Config { describe_lag: PATIENCE, imds_lag: PATIENCE, ..Config::default() })?;
    assert_eq!(lab.describe()?.status, 200);
    let session = Session::open(lab.sim.serve_imds(&lab.a.id, Bind::loopback())?)?;
    assert_eq!(session.get("instance-id")?.text(), lab.a.id.as_str());
    Ok(())
}

#[test]
fn a_client_that_goes_away_does_not_take_its_call_back() -> TestResult {
    let lab = Lab::new()?;
    lab.cloud.set_latency(LAG);
    let params = [("AllocationId", lab.eip.allocation_id.as_str()), ("NetworkInterfaceId", eni(&lab.a)?)];
    let request = Signer::default().ec2("AssociateAddress", &params)?;
    let gone = exchange_within(lab.ec2, &request, LAG / 10).map_err(|error| error.kind());
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
