//! Faults of EC2, in terms that the tests share.

use aws_sim::{Cloud, Fault, FaultKind, Service};

/// The timeout of actions that are expected to use it up.
pub(crate) const SHORT_MS: u64 = 3_000;

/// Makes every call to EC2 and STS fail.
pub(crate) fn break_ec2(cloud: &Cloud, kind: FaultKind) {
    cloud.fault(Fault::new(Service::Sts, kind.clone()));
    cloud.fault(Fault::new(Service::Ec2, kind));
}

/// A fault of one EC2 operation.
pub(crate) fn ec2(operation: &str, kind: FaultKind) -> Fault {
    Fault::new(Service::Ec2, kind).operation(operation)
}

/// True if files can be given to other users; if not, the test that needs it reports that it is skipped.
pub(crate) fn can_give_away() -> bool {
    let root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
    if !root {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "needs root");
        eprintln!("skipped: only root can give files away");
    }
    root
}
