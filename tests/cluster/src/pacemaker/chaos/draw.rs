//! Draws one failure of a kind: which nodes it strikes and how. Pure except for the random numbers passed in.

use std::time::Duration;

use aws_sim::{FaultKind, ImdsState};
use fastrand::Rng;

use super::failure::{Disruption, Whom};

/// The daemons' names in the kernel, which keeps 15 characters.
const DAEMONS: [&str; 6] = [
    "pacemaker-based",
    "pacemaker-contr",
    "pacemaker-execd",
    "pacemaker-attrd",
    "pacemaker-sched",
    "pacemaker-fence",
];
/// Corosync can be stopped too: the other nodes then suspect it.
const STOPPABLE: [&str; 4] = ["pacemaker-based", "pacemaker-contr", "pacemaker-execd", "corosync"];
/// Kinds of failure that make the address move in any case.
const MOVERS: [usize; 6] = [0, 16, 17, 18, 19, 20];

/// True if failures of this kind can happen in a cluster of that many nodes: breaking one of several paths needs a third node.
pub fn happens(kind: usize, nodes: u8) -> bool {
    kind != Disruption::PathBroken.kind() || nodes > 2
}

/// True if the failure makes a node call EC2.
pub fn moves(failure: &Disruption) -> bool {
    !failure.is_of_services() && !matches!(failure, Disruption::AgentsKilled(_))
}

/// Draws a kind that makes the address move.
pub fn mover(rng: &mut Rng) -> usize {
    rng.choice(MOVERS).unwrap_or_default()
}

/// Draws a failure of the kind; `None` if it cannot happen in a cluster of that many nodes.
pub fn failure(rng: &mut Rng, kind: usize, nodes: u8) -> Option<(Whom, Disruption)> {
    if !happens(kind, nodes) {
        return None;
    }
    let other = Whom::Other(rng.u8(..nodes.saturating_sub(1).max(1)));
    let one = if rng.u8(..5) < 3 { Whom::Holder } else { other };
    let some = if rng.bool() { Whom::All } else { one };
    let millis = |rng: &mut Rng, from, to| Duration::from_millis(rng.u64(from..to));
    Some(match kind {
        0 => (one, Disruption::PowerCut),
        1 => (one, Disruption::LinkDown),
        2 => (one, Disruption::Blackhole),
        3 => (one, Disruption::PeersLost),
        4 => (one, Disruption::PathBroken),
        5 => (one, Disruption::CorosyncKilled),
        6 => (one, Disruption::Left),
        7 => (one, Disruption::NodeStopped),
        8 => (one, Disruption::DaemonStopped(rng.choice(STOPPABLE)?)),
        9 => (one, Disruption::DaemonKilled(rng.choice(DAEMONS)?)),
        10 => (one, Disruption::AgentsKilled(millis(rng, 0, 400))),
        11 => (some, Disruption::ApiIll(api(rng)?)),
        12 => {
            let kinds = [FaultKind::LoseAnswer, FaultKind::EffectThenHang, FaultKind::ShortBody];
            (Whom::All, Disruption::AnswersLost(rng.choice(kinds)?))
        }
        13 => (Whom::All, Disruption::DescribesOld(millis(rng, 500, 5000))),
        14 => (some, Disruption::MetadataIll(metadata(rng)?)),
        15 => (some, Disruption::MetadataOld(millis(rng, 500, 8000))),
        16 => (one, Disruption::Standby),
        17 => (other, Disruption::MovedTo),
        18 => (one, Disruption::Banned),
        19 => (Whom::All, Disruption::TakenAway),
        20 => (other, Disruption::GivenTo),
        21 => (Whom::All, Disruption::PrivateTakenAway),
        22 => (other, Disruption::PrivateGivenTo),
        23 => (Whom::All, Disruption::RouteTaken),
        _ => (other, Disruption::RoutesGivenTo),
    })
}

fn api(rng: &mut Rng) -> Option<FaultKind> {
    let error = |status, code: &str| FaultKind::Error { status, code: code.into(), message: code.into() };
    let delay = Duration::from_millis(rng.u64(200..1500));
    rng.choice([
        error(500, "InternalError"),
        error(503, "Unavailable"),
        FaultKind::Throttle,
        FaultKind::Hang,
        FaultKind::Reset,
        FaultKind::CloseBeforeAnswer,
        FaultKind::Garbage,
        FaultKind::Empty,
        FaultKind::TruncatedXml,
        FaultKind::NotHttp,
        FaultKind::HtmlProxy(502),
        FaultKind::Slow(40),
        FaultKind::Delay(delay),
    ])
}

fn metadata(rng: &mut Rng) -> Option<ImdsState> {
    rng.choice([
        ImdsState::Off403,
        ImdsState::Refuse,
        ImdsState::Hang,
        ImdsState::TokenRefused,
        ImdsState::Error500,
        ImdsState::Slow,
        ImdsState::Garbage,
    ])
}
