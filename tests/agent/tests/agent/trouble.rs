//! What can go wrong with EC2, in words that the tests share.

use aws_sim::{Cloud, Fault, FaultKind, Service};

/// The ways in which EC2 gives no usable answer, with a name each.
pub(crate) const SILENCE: [(&str, FaultKind); 9] = [
    ("throttled", FaultKind::Throttle),
    ("hung", FaultKind::Hang),
    ("reset", FaultKind::Reset),
    ("closed", FaultKind::CloseBeforeAnswer),
    ("garbage", FaultKind::Garbage),
    ("empty", FaultKind::Empty),
    ("not HTTP", FaultKind::NotHttp),
    ("a proxy's page", FaultKind::HtmlProxy(502)),
    ("slow", FaultKind::Slow(1)),
];

/// The time-out of actions that are expected to use it up.
pub(crate) const SHORT_MS: u64 = 3_000;

/// Returns the error that EC2 gives when it is ill.
pub(crate) fn unavailable() -> FaultKind {
    FaultKind::Error {
        status: 503,
        code: "Unavailable".to_owned(),
        message: "The service is unavailable. Please try again shortly.".to_owned(),
    }
}

/// Returns all of [`SILENCE`] and EC2's own server errors.
pub(crate) fn all_silence() -> Vec<(&'static str, FaultKind)> {
    let internal = FaultKind::Error {
        status: 500,
        code: "InternalError".to_owned(),
        message: "An internal error has occurred".to_owned(),
    };
    let mut all = SILENCE.to_vec();
    all.extend([("unavailable", unavailable()), ("internal error", internal)]);
    all
}

/// Makes every call to EC2 and STS go wrong.
pub(crate) fn break_ec2(cloud: &Cloud, kind: FaultKind) {
    cloud.fault(Fault::new(Service::Sts, kind.clone()));
    cloud.fault(Fault::new(Service::Ec2, kind));
}

/// Returns a fault of one operation of EC2.
pub(crate) fn ec2(operation: &str, kind: FaultKind) -> Fault {
    Fault::new(Service::Ec2, kind).operation(operation)
}

/// Returns whether files can be given to others; where not, the test that needs it says that it is skipped.
pub(crate) fn can_give_away() -> bool {
    let root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
    if !root {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "needs root");
        eprintln!("skipped: only root can give files away");
    }
    root
}
