//! What can go wrong with EC2, in words that the tests share.

use aws_sim::{Cloud, Fault, FaultKind, Service};

/// The time-out of actions that are expected to use it up.
pub(crate) const SHORT_MS: u64 = 3_000;

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
