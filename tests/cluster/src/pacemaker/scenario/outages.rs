//! Outages of the cloud's services: a failing API is no reason to move an address that works, nor to give up a takeover that has
//! begun.

use std::time::Duration;

use aws_sim::{FaultKind, ImdsState};

use super::{PacemakerScenario, StartState, TAKEOVER_LIMIT, active};
use crate::error::{Result, ensure};
use crate::pacemaker::{MONITOR_INTERVAL, PacemakerCluster};
use crate::story::Story;
use crate::topology::NodeName;
use crate::wait::{Epoch, Polled, let_run, now, until};

/// Three monitors and a little more.
const API_OUTAGE: Duration = Duration::from_secs(10);
const IMDS_OUTAGE: Duration = Duration::from_secs(8);
/// How long the API stays down after the start has begun: far less than the start's timeout (60 s).
const DURING_START: Duration = Duration::from_secs(6);
/// Long enough for a hanging monitor (20 s) to end and for more to follow.
const MONITORS_LIMIT: Duration = Duration::from_secs(45);
/// A start (60 s) that has just missed the API's return and is backing off.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Outages during which nothing may happen.
pub(super) const QUIET: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "monitor-api-503",
        about: "EC2 answers 503 for three monitors, a deep one among them: no action, no fail-count",
        start: StartState::Healthy,
        run: |cluster, story| monitors_without_api(cluster, story, &unavailable(), 3),
    },
    PacemakerScenario {
        name: "monitor-api-hang",
        about: "EC2 hangs for three monitors, a deep one among them: no action, no fail-count",
        start: StartState::Healthy,
        run: |cluster, story| monitors_without_api(cluster, story, &FaultKind::Hang, 1),
    },
    PacemakerScenario {
        name: "imds-refuse",
        about: "the active node's metadata service refuses for 8 s: no action, no fail-count",
        start: StartState::Healthy,
        run: |cluster, story| monitors_without_imds(cluster, story, ImdsState::Refuse),
    },
    PacemakerScenario {
        name: "imds-hang",
        about: "the active node's metadata service hangs for 8 s: no action, no fail-count",
        start: StartState::Healthy,
        run: |cluster, story| monitors_without_imds(cluster, story, ImdsState::Hang),
    },
];

/// Outages during which a node dies.
pub(super) const TAKEOVERS: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "failover-api-503",
        about: "the active node dies while EC2 answers 503: one start, retried until EC2 is back",
        start: StartState::Healthy,
        run: |cluster, story| takeover_without_api(cluster, story, &unavailable(), 2),
    },
    PacemakerScenario {
        name: "failover-api-hang",
        about: "the active node dies while EC2 hangs: one start, retried until EC2 is back",
        start: StartState::Healthy,
        run: |cluster, story| takeover_without_api(cluster, story, &FaultKind::Hang, 1),
    },
];

pub(super) fn unavailable() -> FaultKind {
    FaultKind::Error {
        status: 503,
        code: "Unavailable".into(),
        message: "The server is overloaded and can't handle the request.".into(),
    }
}

pub(super) fn denied() -> FaultKind {
    FaultKind::Error {
        status: 403,
        code: "UnauthorizedOperation".into(),
        message: "You are not authorized to perform this operation.".into(),
    }
}

pub(super) fn monitors_without_api(
    cluster: &mut PacemakerCluster,
    story: &mut Story,
    kind: &FaultKind,
    monitors: usize,
) -> Result<()> {
    cluster.set_deep_monitor(true)?;
    let holder = cluster.settle(None, TAKEOVER_LIMIT)?;
    let from = now();
    story.failure(from, format!("EC2: {} for every call", kind.name()));
    cluster.world().break_api(kind);
    let_run(API_OUTAGE)?;
    wait_for_monitors(cluster, holder, from, monitors)?;
    let struck = struck_since(cluster, from);
    ensure(struck > 0, || "no monitor queried EC2: nothing was tested".into())?;
    story.fact(format!("{struck} calls while EC2 was down"));
    stays_after(cluster, story, holder, from)?;
    story.close();
    cluster.set_deep_monitor(false)?;
    cluster.settle(Some(holder), TAKEOVER_LIMIT).map(drop)
}

pub(super) fn monitors_without_imds(
    cluster: &mut PacemakerCluster,
    story: &mut Story,
    state: ImdsState,
) -> Result<()> {
    let holder = active(cluster)?;
    let from = now();
    story.failure(from, format!("metadata service of {holder}: {state:?}"));
    cluster.world().set_imds(holder, state);
    let_run(IMDS_OUTAGE)?;
    stays_after(cluster, story, holder, from)
}

fn stays_after(
    cluster: &mut PacemakerCluster,
    story: &mut Story,
    holder: NodeName,
    from: Epoch,
) -> Result<()> {
    story.target = Some(holder);
    story.note("all services answer again");
    cluster.world().heal();
    wait_for_monitors(cluster, holder, now(), 2)?;
    cluster.settle(Some(holder), TAKEOVER_LIMIT)?;
    cluster.ensure_untouched(from)?;
    cluster.ensure_no_failures()?;
    story.fact("no action, no fail-count, no change of holder");
    Ok(())
}

pub(super) fn takeover_without_api(
    cluster: &mut PacemakerCluster,
    story: &mut Story,
    kind: &FaultKind,
    attempts: usize,
) -> Result<()> {
    let victim = active(cluster)?;
    let survivor = super::another(cluster, victim)?;
    cluster.world().break_api(kind);
    let at = cluster.power_off(victim)?;
    story.failure(at, format!("power cut of {victim}; EC2: {} for every call", kind.name()));
    cluster.wait_for_action("start", survivor, at, TAKEOVER_LIMIT)?;
    let_run(DURING_START)?;
    let struck = struck_since(cluster, at);
    cluster.world().heal();
    story.note("EC2 answers again");
    story.target = Some(survivor);
    cluster.settle(Some(survivor), START_LIMIT)?;
    cluster.ensure_no_failures()?;
    let actions = cluster.actions_since(at, Some(survivor))?;
    ensure(matches!(actions.as_slice(), [(_, only)] if only == "start"), || {
        format!("a single start was expected on {survivor}, not {actions:?}")
    })?;
    ensure(struck >= attempts, || format!("only {struck} calls while EC2 was down: nothing was retried"))?;
    story.fact(format!("{struck} calls while EC2 was down, one start"));
    Ok(())
}

pub(super) fn struck_since(cluster: &PacemakerCluster, from: Epoch) -> usize {
    cluster.world().requests_since(from).iter().filter(|request| request.fault.is_some()).count()
}

/// Waits until a node has run `count` monitors since `from`, counted by the sessions that they open with its metadata
/// service.
fn wait_for_monitors(cluster: &PacemakerCluster, node: NodeName, from: Epoch, count: usize) -> Result<()> {
    until(&format!("{count} monitors on {node}"), MONITORS_LIMIT + MONITOR_INTERVAL, || {
        let world = cluster.world();
        let session = |request: &aws_sim::LoggedRequest| {
            world.sender(request) == Some(node) && request.operation == "PUT /latest/api/token"
        };
        let seen = world.requests_since(from).iter().filter(|request| session(request)).count();
        Ok(if seen >= count { Polled::There(()) } else { Polled::NotYet(format!("{seen} seen")) })
    })
}
