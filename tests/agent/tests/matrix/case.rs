//! The cases: a scene, one of its requests, a fault, and how long that lasts.

use std::collections::BTreeMap;
use std::fmt;

use agent_tests::AddressKind;
use aws_sim::{LoggedRequest, Service};

use crate::fault::{self, How, Length, MatrixFault};
use crate::scene::MatrixScene;

/// Further calls of the same EC2 operation behave like the previous ones.
const MOST_OF_A_KIND: u32 = 2;

/// A call as the simulator saw it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LoggedCall {
    pub(crate) service: Service,
    pub(crate) operation: String,
    /// How many of the same kind preceded it.
    pub(crate) after: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FaultTarget {
    Call(LoggedCall),
    Ec2,
    Imds,
    Role,
    Clock,
}

pub(crate) struct MatrixCase {
    pub(crate) kind: &'static AddressKind,
    pub(crate) scene: &'static MatrixScene,
    pub(crate) target: FaultTarget,
    pub(crate) fault: MatrixFault,
    pub(crate) length: Length,
}

impl LoggedCall {
    /// True if it is a mutating call to EC2.
    pub(crate) fn writes(&self) -> bool {
        self.service == Service::Ec2 && !self.operation.starts_with("Describe")
    }

    /// True if the answer is just an id. Ids are opaque [holder-4], so half of one in a complete HTTP message is an id too; a message that is
    /// cut off ("cut off") is noticed by its length.
    fn is_answered_by_an_id(&self) -> bool {
        let ids = ["/instance-id", "/interface-id", "/subnet-id", "/vpc-id"];
        self.service == Service::Imds && ids.iter().any(|id| self.operation.ends_with(id))
    }

    /// Its name without what differs from run to run.
    fn name(&self) -> String {
        let path = self.operation.split_once("/latest/").map_or(self.operation.as_str(), |(_, path)| path);
        let path = path.strip_prefix("meta-data/").unwrap_or(path);
        let parts = path.split('/').map(|part| match part {
            _ if part.len() == 17 && part.matches(':').count() == 5 => "MAC",
            _ if part.parse::<std::net::Ipv4Addr>().is_ok() => "EIP",
            other => other,
        });
        let again = if self.after == 0 { "" } else { " (again)" };
        format!("{}{again}", parts.collect::<Vec<_>>().join("/"))
    }
}

impl fmt::Display for FaultTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call) if call.service == Service::Imds => write!(f, "IMDS {}", call.name()),
            Self::Call(call) => f.write_str(&call.name()),
            Self::Ec2 => f.write_str("EC2 as a whole"),
            Self::Imds => f.write_str("IMDS as a whole"),
            Self::Role => f.write_str("the role"),
            Self::Clock => f.write_str("the clock"),
        }
    }
}

impl fmt::Display for MatrixCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, scene, target, fault, length } = self;
        write!(f, "{} {}; {target}; {}; {}", kind.name, scene.name, fault.name, length.name())
    }
}

impl MatrixCase {
    /// True if the action may have to wait for its deadline.
    pub(crate) fn lasts(&self) -> bool {
        self.length == Length::ForEver
    }
}

/// The different calls among these requests.
pub(crate) fn distinct(requests: &[LoggedRequest]) -> Vec<LoggedCall> {
    let mut counts: BTreeMap<(Service, &str), u32> = BTreeMap::new();
    for request in requests {
        *counts.entry((request.service, &request.operation)).or_default() += 1;
    }
    let mut calls = Vec::new();
    for ((service, operation), count) in counts {
        let most = if service == Service::Ec2 { MOST_OF_A_KIND } else { 1 };
        let call = |after| LoggedCall { service, operation: operation.to_owned(), after };
        calls.extend((0..count.min(most)).map(call));
    }
    calls
}

/// The cases of a scene that makes these calls.
pub(crate) fn of(
    kind: &'static AddressKind,
    scene: &'static MatrixScene,
    calls: &[LoggedCall],
) -> Vec<MatrixCase> {
    let mut struck: Vec<(FaultTarget, Vec<MatrixFault>)> = Vec::new();
    for call in calls {
        let mut faults = match call.service {
            Service::Imds => fault::of_imds(),
            Service::Ec2 | Service::Sts => fault::of_ec2(call.writes()),
        };
        if call.is_answered_by_an_id() {
            faults.retain(|fault| fault.name != "truncated");
        }
        struck.push((FaultTarget::Call(call.clone()), faults));
    }
    let asks = |service, part| calls.iter().any(|c| c.service == service && c.operation.contains(part));
    for (asked, target, faults) in [
        (asks(Service::Ec2, ""), FaultTarget::Ec2, fault::of_ec2_as_a_whole()),
        (asks(Service::Ec2, ""), FaultTarget::Clock, fault::of_clock()),
        (asks(Service::Imds, ""), FaultTarget::Imds, fault::of_imds_as_a_whole()),
        (asks(Service::Imds, "security-credentials"), FaultTarget::Role, fault::of_role()),
    ] {
        struck.extend(asked.then_some((target, faults)));
    }
    let mut cases = Vec::new();
    for (target, faults) in struck {
        for fault in faults {
            for &length in lengths(&fault) {
                cases.push(MatrixCase { kind, scene, target: target.clone(), fault: fault.clone(), length });
            }
        }
    }
    cases
}

/// How long a fault can last.
fn lengths(fault: &MatrixFault) -> &'static [Length] {
    match (&fault.how, fault.name) {
        (_, "throttled") => &[Length::Once, Length::Twice, Length::ForEver],
        // A black hole can't be filled, and a wrong clock stays wrong.
        (How::BlackHole | How::Mute | How::Clock(_), _) => &[Length::ForEver],
        _ => &[Length::Once, Length::ForEver],
    }
}
