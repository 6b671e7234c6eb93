//! An overlay address (`ocf:heartbeat:overlay-ip`) between nodes in two zones, with two route tables and a client behind each: what a
//! client gets proves that its own table leads to the node, and that the node's device has the address.

use std::time::Duration;

use aws_sim::{Fault, FaultKind, Service, parsed};

use super::outages::{API_OUTAGE, stays_after, struck_since, unavailable};
use super::{
    PacemakerScenario, RETURN_LIMIT, StartState, TAKEOVER_LIMIT, active, another, moves, taken_over,
};
use crate::error::{Result, ensure};
use crate::pacemaker::{OVERLAY, PacemakerCluster};
use crate::story::Story;
use crate::timeline::{outage, spreads, voices};
use crate::topology::{NodeName, OVERLAY_IP, name_of};
use crate::wait::{Epoch, Polled, let_run, now, until};

/// How long the second route table is refused: several attempts, and far less than a start has (60 s).
const REFUSAL: Duration = Duration::from_secs(5);

pub(super) const SCENARIOS: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "overlay-move",
        about: "crm_resource --move of a resource overlay-ip: off the one node's device, both route tables to the other",
        start: StartState::Overlay,
        run: plain_move,
    },
    PacemakerScenario {
        name: "overlay-migrate",
        about: "the same with allow-migrate=true: no route table is ever without a target",
        start: StartState::Overlay,
        run: migrate,
    },
    PacemakerScenario {
        name: "overlay-monitor-api-503",
        about: "EC2 answers 503 for three monitors that ask it: no action, no fail-count",
        start: StartState::Overlay,
        run: |cluster, story| monitors_without_api(cluster, story, &unavailable()),
    },
    PacemakerScenario {
        name: "overlay-monitor-api-hang",
        about: "EC2 hangs for monitors that ask it: no action, no fail-count",
        start: StartState::Overlay,
        run: |cluster, story| monitors_without_api(cluster, story, &FaultKind::Hang),
    },
    PacemakerScenario {
        name: "overlay-kill-node",
        about: "power cut of the node with the overlay address; it comes back without drawing the address",
        start: StartState::Overlay,
        run: kill_node,
    },
    PacemakerScenario {
        name: "overlay-table-throttled",
        about: "the same while EC2 throttles one of the two route tables for 5 s: one start, which repeats that table alone",
        start: StartState::Overlay,
        run: one_table_throttled,
    },
    PacemakerScenario {
        name: "overlay-table-denied",
        about: "the same while one route table is denied: the start fails, and both tables follow once it is allowed",
        start: StartState::Overlay,
        run: one_table_denied,
    },
];

fn plain_move(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let (from, began) = (active(cluster)?, now());
    let to = moves::order_move(cluster, story, from)?;
    moved_whole(cluster, story, began, (from, to))?;
    moves::clear_move(cluster, story, to)
}

fn migrate(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    cluster.set_meta("allow-migrate", "true")?;
    let from = cluster.settle(None, TAKEOVER_LIMIT)?;
    let began = now();
    let to = moves::order_move(cluster, story, from)?;
    moves::ensure_live(cluster, began, (from, to))?;
    moved_whole(cluster, story, began, (from, to))?;
    moves::clear_move(cluster, story, to)?;
    cluster.set_meta("allow-migrate", "")?;
    cluster.settle(Some(to), TAKEOVER_LIMIT).map(drop)
}

fn monitors_without_api(cluster: &mut PacemakerCluster, story: &mut Story, kind: &FaultKind) -> Result<()> {
    cluster.set_deep_monitor(true)?;
    let holder = cluster.settle(None, TAKEOVER_LIMIT)?;
    let from = now();
    story.failure(from, format!("EC2: {} for every call", kind.name()));
    cluster.world().break_api(kind);
    let_run(API_OUTAGE)?;
    until("a monitor that asks EC2", TAKEOVER_LIMIT, || {
        Ok(match struck_since(cluster, from) {
            0 => Polled::NotYet("no call".into()),
            _ => Polled::There(()),
        })
    })?;
    story.fact(format!("{} calls while EC2 was down", struck_since(cluster, from)));
    stays_after(cluster, story, holder, from, "DescribeRouteTables")?;
    clients_told(cluster, story, from, &[holder])?;
    story.close();
    cluster.set_deep_monitor(false)?;
    cluster.settle(Some(holder), TAKEOVER_LIMIT).map(drop)
}

fn kill_node(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let victim = active(cluster)?;
    let at = cluster.power_off(victim)?;
    story.failure(at, format!("{victim} lost power"));
    let survivor = taken_over(cluster, story, victim)?;
    moved_whole(cluster, story, at, (victim, survivor))?;
    story.close();
    rejoins(cluster, victim, survivor)
}

fn one_table_throttled(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let victim = active(cluster)?;
    let survivor = another(cluster, victim)?;
    refuse_second_table(cluster, survivor, FaultKind::Throttle);
    let at = cluster.power_off(victim)?;
    story.failure(at, format!("{victim} lost power; EC2 throttles the second route table of {survivor}"));
    cluster.wait_for_action("start", survivor, at, TAKEOVER_LIMIT)?;
    let_run(REFUSAL)?;
    ensure_split(cluster)?;
    let struck = struck_since(cluster, at);
    ensure(struck > 1, || format!("{struck} calls were refused: nothing was retried"))?;
    cluster.world().heal();
    story.note("EC2 accepts both route tables");
    ensure(taken_over(cluster, story, victim)? == survivor, || format!("{survivor} has not taken over"))?;
    let actions = cluster.actions_since(at, Some(survivor))?;
    ensure(matches!(actions.as_slice(), [(_, only)] if only == "start"), || {
        format!("a single start was expected on {survivor}, not {actions:?}")
    })?;
    let accepted = accepted_since(cluster, at);
    ensure(accepted == cluster.world().route_tables().len(), || {
        format!("{accepted} calls were accepted: a table that had followed was replaced again")
    })?;
    story.fact(format!("{struck} refused calls, one accepted call for each table, one start"));
    moved_whole(cluster, story, at, (victim, survivor))?;
    story.close();
    rejoins(cluster, victim, survivor)
}

fn one_table_denied(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let victim = active(cluster)?;
    let survivor = another(cluster, victim)?;
    let denied = FaultKind::Error {
        status: 403,
        code: "UnauthorizedOperation".into(),
        message: "You are not authorized to perform this operation.".into(),
    };
    refuse_second_table(cluster, survivor, denied);
    let at = cluster.power_off(victim)?;
    story.failure(at, format!("{victim} lost power; {survivor} is denied its second route table"));
    // The mixture is no success: Pacemaker stops what has failed to start.
    cluster.wait_for_action("stop", survivor, at, TAKEOVER_LIMIT)?;
    until("the address off the device", TAKEOVER_LIMIT, || {
        let devices = cluster.devices_with(OVERLAY_IP)?;
        Ok(if devices.is_empty() { Polled::There(()) } else { Polled::NotYet(format!("{devices:?}")) })
    })?;
    ensure_split(cluster)?;
    let failed = cluster.status(survivor)?.failures;
    ensure(!failed.is_empty(), || "the failed start is not on record".into())?;
    for failure in failed {
        story.fact(failure.to_string());
    }
    cluster.world().heal();
    story.note("both route tables are allowed; crm_resource --cleanup");
    cluster.clean_up()?;
    ensure(taken_over(cluster, story, victim)? == survivor, || format!("{survivor} has not taken over"))?;
    moved_whole(cluster, story, at, (victim, survivor))?;
    story.close();
    rejoins(cluster, victim, survivor)
}

/// Lets the first `ReplaceRoute` of a node pass and refuses all others: of two concurrent ones, the later, and whenever it is repeated.
fn refuse_second_table(cluster: &PacemakerCluster, node: NodeName, kind: FaultKind) {
    let fault = Fault::new(Service::Ec2, kind).operation(OVERLAY.calls[0]).instance(&parsed(node.instance()));
    cluster.world().cloud().fault(fault.skip(1));
}

/// Asserts that the route tables lead to two nodes.
fn ensure_split(cluster: &PacemakerCluster) -> Result<()> {
    let holder = cluster.world().holder();
    ensure(holder.is_none(), || format!("all route tables lead to {}", name_of(holder)))
}

/// Returns how many calls that lead a route table elsewhere were accepted since `from`.
fn accepted_since(cluster: &PacemakerCluster, from: Epoch) -> usize {
    let requests = cluster.world().requests_since(from);
    let accepted = |request: &&aws_sim::LoggedRequest| request.is(OVERLAY.calls[0]) && request.code.is_none();
    requests.iter().filter(accepted).count()
}

/// Has a dead node come back while the address stays where it is.
fn rejoins(cluster: &mut PacemakerCluster, dead: NodeName, active: NodeName) -> Result<()> {
    let at = cluster.repair(dead)?;
    cluster.settle(Some(active), RETURN_LIMIT)?;
    cluster.ensure_untouched(at)?;
    cluster.ensure_no_failures()
}

/// Asserts that since `began` the address moved once, in all route tables, and says how long the tables were of two minds.
fn moved_whole(
    cluster: &PacemakerCluster,
    story: &mut Story,
    began: Epoch,
    (from, to): (NodeName, NodeName),
) -> Result<()> {
    let history = cluster.world().history();
    let holders: Vec<_> = history.iter().filter(|held| held.at >= began).map(|held| held.by).collect();
    ensure(holders == [Some(to)], || format!("holders since the failure: {holders:?}, expected {to} alone"))?;
    for spread in spreads(&cluster.world().table_history(OVERLAY_IP), began) {
        story.fact(format!("{:.1} ms between the first and the last route table", spread * 1e3));
    }
    clients_told(cluster, story, began, &[from, to])
}

/// Asserts that each client was answered by these nodes alone, one after the other, and says how long each was without an answer.
fn clients_told(cluster: &PacemakerCluster, story: &mut Story, from: Epoch, by: &[NodeName]) -> Result<()> {
    for (number, client) in (1..).zip(cluster.clients()) {
        let samples = client.since(from);
        let heard = voices(&samples);
        // A client may have begun no connection between the beginning and the failure.
        ensure(by.ends_with(&heard) && !heard.is_empty(), || {
            format!("client {number} was answered by {heard:?} in turn, not by {by:?}")
        })?;
        let gap = outage(&samples, from, now());
        story.fact(format!("client {number}: without an answer for {:.2} s", gap.longest));
    }
    Ok(())
}
