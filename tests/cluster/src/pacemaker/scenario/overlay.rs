//! An overlay address (`ocf:heartbeat:overlay-ip`) between nodes in two zones, with three route tables and a client behind each: what a
//! client gets proves that its own table leads to the node, and that the node's device has the address.

use std::time::Duration;

use aws_sim::{Fault, FaultKind, ImdsState, LoggedRequest, Service, parsed};

use super::outages::{self, denied, struck_since, unavailable};
use super::{
    PacemakerScenario, RETURN_LIMIT, StartState, TAKEOVER_LIMIT, active, another, moves, returns, taken_over,
};
use crate::error::{HarnessError, Result, ensure};
use crate::machines::Cut;
use crate::pacemaker::{OVERLAY, PacemakerCluster};
use crate::probe::Probe;
use crate::story::Story;
use crate::timeline::{outage, voices};
use crate::topology::{NodeName, name_of};
use crate::wait::{Epoch, Polled, let_run, now, until};
use crate::world::ROUTE_TABLES;

/// How long one route table is refused: several attempts, and far less than a start's timeout (60 s).
const REFUSAL: Duration = Duration::from_secs(5);

/// Moves, and events that must not move anything.
pub(super) const QUIET: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "overlay-move",
        about: "crm_resource --move of a resource overlay-ip: removed from the one node's device, all route tables to the other",
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
        about: "EC2 answers 503 for three monitors that query the routes: no action, no fail-count",
        start: StartState::Overlay,
        run: |cluster, story| monitors_without_api(cluster, story, &unavailable(), 3),
    },
    PacemakerScenario {
        name: "overlay-monitor-api-hang",
        about: "EC2 hangs while monitors query the routes: no action, no fail-count",
        start: StartState::Overlay,
        run: |cluster, story| monitors_without_api(cluster, story, &FaultKind::Hang, 1),
    },
    PacemakerScenario {
        name: "overlay-imds-hang",
        about: "the active node's metadata service hangs while monitors need credentials from it: no action, no fail-count",
        start: StartState::Overlay,
        run: monitors_without_imds,
    },
    PacemakerScenario {
        name: "overlay-source-dest-check",
        about: "the active node's source/destination check is on for a while: EC2 drops what clients send, the routes stay",
        start: StartState::Overlay,
        run: source_dest_check,
    },
    PacemakerScenario {
        name: "overlay-route-taken",
        about: "a user leads one of the route tables elsewhere: the monitor notices, one restart leads it back",
        start: StartState::Overlay,
        run: route_taken,
    },
];

/// Events that make the other node take over, in every kind of VPC.
pub(super) const TAKEOVERS: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "overlay-kill-node",
        about: "power cut of the node with the overlay address; it comes back without attracting the address",
        start: StartState::Overlay,
        run: kill_node,
    },
    PacemakerScenario {
        name: "overlay-blackhole",
        about: "the active node's packets are dropped; later it is reached again, and two nodes that each believed to be alone merge",
        start: StartState::Overlay,
        run: |cluster, story| isolated_and_healed(cluster, story, Cut::Blackhole),
    },
    PacemakerScenario {
        name: "overlay-link-down",
        about: "the active node's interface goes down: its calls fail at once; later it comes up again, and the nodes merge",
        start: StartState::Overlay,
        run: |cluster, story| isolated_and_healed(cluster, story, Cut::LinkDown),
    },
    PacemakerScenario {
        name: "overlay-failover-api-503",
        about: "power cut while EC2 answers 503: one start, retried until EC2 is back",
        start: StartState::Overlay,
        run: takeover_without_api,
    },
    PacemakerScenario {
        name: "overlay-table-throttled",
        about: "power cut while EC2 throttles one of the route tables for 5 s: one start, which repeats that table alone",
        start: StartState::Overlay,
        run: one_table_throttled,
    },
    PacemakerScenario {
        name: "overlay-table-denied",
        about: "power cut while one route table is denied: the start fails, and all tables follow once it is allowed",
        start: StartState::Overlay,
        run: one_table_denied,
    },
    PacemakerScenario {
        name: "overlay-shared-kill-node",
        about: "power cut in a shared VPC: the account that owns the route tables is reached by routing_table_role",
        start: StartState::SharedOverlay,
        run: kill_node,
    },
    PacemakerScenario {
        name: "overlay-shared-failover-sts-503",
        about: "the same while EC2 and STS answer 503: one start, retried until the role is available",
        start: StartState::SharedOverlay,
        run: takeover_without_api,
    },
    PacemakerScenario {
        name: "overlay-ipv6-migrate",
        about: "an IPv6 address moved live: no route table is ever without a target",
        start: StartState::Ipv6Overlay,
        run: migrate,
    },
    PacemakerScenario {
        name: "overlay-ipv6-kill-node",
        about: "power cut of the node with an IPv6 address; it comes back without attracting the address",
        start: StartState::Ipv6Overlay,
        run: kill_node,
    },
];

fn plain_move(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let (from, began) = (active(cluster)?, now());
    let to = moves::order_move(cluster, story, from)?;
    ensure_at_once(cluster, began)?;
    moved_whole(cluster, story, began, (from, to))?;
    moves::clear_move(cluster, story, to)
}

fn migrate(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    cluster.set_meta("allow-migrate", "true")?;
    let from = cluster.settle(None, TAKEOVER_LIMIT)?;
    let began = now();
    let to = moves::order_move(cluster, story, from)?;
    moves::ensure_live(cluster, began, (from, to))?;
    ensure_at_once(cluster, began)?;
    moved_whole(cluster, story, began, (from, to))?;
    moves::clear_move(cluster, story, to)?;
    cluster.set_meta("allow-migrate", "")?;
    cluster.settle(Some(to), TAKEOVER_LIMIT).map(drop)
}

fn monitors_without_api(
    cluster: &mut PacemakerCluster,
    story: &mut Story,
    kind: &FaultKind,
    monitors: usize,
) -> Result<()> {
    let holder = active(cluster)?;
    outages::monitors_without_api(cluster, story, kind, monitors)?;
    clients_told(cluster, story, story.window().0, &[holder])
}

fn monitors_without_imds(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    cluster.set_deep_monitor(true)?;
    let holder = cluster.settle(None, TAKEOVER_LIMIT)?;
    outages::monitors_without_imds(cluster, story, ImdsState::Hang)?;
    story.close();
    clients_told(cluster, story, story.window().0, &[holder])?;
    cluster.set_deep_monitor(false)?;
    cluster.settle(Some(holder), TAKEOVER_LIMIT).map(drop)
}

fn source_dest_check(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let holder = active(cluster)?;
    let from = now();
    for (on, answering) in [(true, None), (false, Some(holder))] {
        cluster.world().set_source_dest_check(holder, on)?;
        story.note(format!("source/destination check of {holder}: {}", if on { "on" } else { "off" }));
        until("the clients to notice", TAKEOVER_LIMIT, || {
            let answers: Vec<_> = cluster.clients().iter().map(Probe::answering).collect();
            let all = answers.iter().all(|answer| *answer == answering);
            Ok(if all { Polled::There(()) } else { Polled::NotYet(format!("{answers:?}")) })
        })?;
    }
    cluster.settle(Some(holder), TAKEOVER_LIMIT)?;
    cluster.ensure_untouched(from)?;
    clients_told(cluster, story, from, &[holder])
}

fn route_taken(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    cluster.set_deep_monitor(true)?;
    let holder = cluster.settle(None, TAKEOVER_LIMIT)?;
    let at = now();
    let table = cluster.world().lead_elsewhere();
    let table = table.ok_or_else(|| HarnessError::Wrong("there is no route table".into()))?;
    story.failure(at, format!("a user leads {table} elsewhere"));
    story.target = Some(cluster.settle(Some(holder), TAKEOVER_LIMIT)?);
    let actions = cluster.actions_since(at, None)?;
    let restart = ["stop", "start"].map(|action| (holder, action.to_owned()));
    ensure(actions == restart, || format!("one restart on {holder} was expected, not {actions:?}"))?;
    moved_whole(cluster, story, at, (holder, holder))?;
    story.close();
    cluster.set_deep_monitor(false)?;
    cluster.clean_up()?;
    cluster.settle(Some(holder), TAKEOVER_LIMIT).map(drop)
}

fn kill_node(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let victim = active(cluster)?;
    let at = cluster.power_off(victim)?;
    story.failure(at, format!("{victim} lost power"));
    let survivor = taken_over(cluster, story, victim)?;
    ensure_at_once(cluster, at)?;
    moved_whole(cluster, story, at, (victim, survivor))?;
    story.close();
    rejoins(cluster, victim, survivor)
}

fn isolated_and_healed(cluster: &mut PacemakerCluster, story: &mut Story, cut: Cut) -> Result<()> {
    let victim = active(cluster)?;
    let at = cluster.cut(victim, cut)?;
    story.failure(at, format!("{victim}: {cut:?}"));
    let survivor = taken_over(cluster, story, victim)?;
    moved_whole(cluster, story, at, (victim, survivor))?;
    returns::heal(cluster, story)
}

fn takeover_without_api(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let victim = active(cluster)?;
    let at = now();
    outages::takeover_without_api(cluster, story, &unavailable(), 2)?;
    let survivor = active(cluster)?;
    moved_whole(cluster, story, at, (victim, survivor))?;
    story.close();
    rejoins(cluster, victim, survivor)
}

fn one_table_throttled(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let victim = active(cluster)?;
    let survivor = another(cluster, victim)?;
    refuse_one_table(cluster, survivor, FaultKind::Throttle);
    let at = cluster.power_off(victim)?;
    story.failure(at, format!("{victim} lost power; EC2 throttles one route table of {survivor}"));
    cluster.wait_for_action("start", survivor, at, TAKEOVER_LIMIT)?;
    let_run(REFUSAL)?;
    ensure_split(cluster)?;
    let struck = struck_since(cluster, at);
    ensure(struck > 1, || format!("{struck} calls were refused: nothing was retried"))?;
    cluster.world().heal();
    story.note("EC2 accepts all route tables");
    ensure(taken_over(cluster, story, victim)? == survivor, || format!("{survivor} has not taken over"))?;
    let actions = cluster.actions_since(at, Some(survivor))?;
    ensure(matches!(actions.as_slice(), [(_, only)] if only == "start"), || {
        format!("a single start was expected on {survivor}, not {actions:?}")
    })?;
    let accepted = accepted_since(cluster, at).len();
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
    refuse_one_table(cluster, survivor, denied());
    let at = cluster.power_off(victim)?;
    story.failure(at, format!("{victim} lost power; {survivor} is denied one route table"));
    // A mixture is no success: Pacemaker stops a resource that failed to start.
    cluster.wait_for_action("stop", survivor, at, TAKEOVER_LIMIT)?;
    until("the address off the device", TAKEOVER_LIMIT, || {
        let devices = cluster.devices_with(cluster.layout().address())?;
        Ok(if devices.is_empty() { Polled::There(()) } else { Polled::NotYet(format!("{devices:?}")) })
    })?;
    ensure_split(cluster)?;
    let failed = cluster.status(survivor)?.failures;
    ensure(!failed.is_empty(), || "the failed start is not on record".into())?;
    for failure in failed {
        story.fact(failure.to_string());
    }
    cluster.world().heal();
    story.note("all route tables are allowed; crm_resource --cleanup");
    cluster.clean_up()?;
    ensure(taken_over(cluster, story, victim)? == survivor, || format!("{survivor} has not taken over"))?;
    moved_whole(cluster, story, at, (victim, survivor))?;
    story.close();
    rejoins(cluster, victim, survivor)
}

/// Refuses the last of a node's concurrent `ReplaceRoute`s, and each repetition of it.
fn refuse_one_table(cluster: &PacemakerCluster, node: NodeName, kind: FaultKind) {
    let fault = Fault::new(Service::Ec2, kind).operation(OVERLAY.calls[0]).instance(&parsed(node.instance()));
    cluster.world().cloud().fault(fault.skip(ROUTE_TABLES - 1));
}

/// Asserts that the route tables lead to two nodes.
fn ensure_split(cluster: &PacemakerCluster) -> Result<()> {
    let holder = cluster.world().holder();
    ensure(holder.is_none(), || format!("all route tables lead to {}", name_of(holder)))
}

/// Calls that have changed a route table since `from`.
fn accepted_since(cluster: &PacemakerCluster, from: Epoch) -> Vec<LoggedRequest> {
    let mut requests = cluster.world().requests_since(from);
    requests.retain(|request| request.is(OVERLAY.calls[0]) && request.code.is_none());
    requests
}

/// Asserts that since `from` there was one call for each route table, the last of them sent before the first was answered.
fn ensure_at_once(cluster: &PacemakerCluster, from: Epoch) -> Result<()> {
    let accepted = accepted_since(cluster, from);
    let last = accepted.iter().map(|request| request.at).max_by(f64::total_cmp);
    let answered = accepted.iter().filter_map(|request| request.answered_at).min_by(f64::total_cmp);
    let at_once = accepted.len() == cluster.world().route_tables().len() && last < answered;
    ensure(at_once, || format!("calls that were not made at once: {accepted:?}"))
}

/// Boots a dead node again, while the address stays where it is.
fn rejoins(cluster: &mut PacemakerCluster, dead: NodeName, active: NodeName) -> Result<()> {
    let at = cluster.repair(dead)?;
    cluster.settle(Some(active), RETURN_LIMIT)?;
    cluster.ensure_untouched(at)?;
    cluster.ensure_no_failures()
}

/// Asserts that since `began` the address moved once, in all route tables.
fn moved_whole(
    cluster: &PacemakerCluster,
    story: &mut Story,
    began: Epoch,
    (from, to): (NodeName, NodeName),
) -> Result<()> {
    let history = cluster.world().history();
    let holders: Vec<_> = history.iter().filter(|held| held.at >= began).map(|held| held.by).collect();
    ensure(holders == [Some(to)], || format!("holders since the failure: {holders:?}, expected {to} alone"))?;
    clients_told(cluster, story, began, &[from, to])
}

/// Asserts that these nodes alone answered each client, one after the other, and reports how long each went without an answer.
fn clients_told(cluster: &PacemakerCluster, story: &mut Story, from: Epoch, by: &[NodeName]) -> Result<()> {
    for (number, client) in (1..).zip(cluster.clients()) {
        let samples = client.since(from);
        let heard = voices(&samples);
        // A client may have begun no connection between the start of the measurement and the failure.
        let mut by = by.to_vec();
        by.dedup();
        ensure(by.ends_with(&heard) && !heard.is_empty(), || {
            format!("client {number} was answered by {heard:?} in turn, not by {by:?}")
        })?;
        let gap = outage(&samples, from, now());
        story.fact(format!("client {number}: without an answer for {:.2} s", gap.longest));
    }
    Ok(())
}
