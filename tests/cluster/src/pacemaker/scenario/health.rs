//! `eip-health` in a real cluster: it shows beforehand that a standby could not take over, and the holder stays.

use aws_sim::{CredState, Fault, ImdsState, LoggedRequest, Service, parsed};

use super::outages::denied;
use super::{PacemakerScenario, StartState, TAKEOVER_LIMIT, active, another};
use crate::documents::{OPERATIONS, ensure_shown};
use crate::error::{Result, ensure};
use crate::pacemaker::{MONITOR_INTERVAL, PacemakerCluster, RESOURCE};
use crate::story::Story;
use crate::topology::NodeName;
use crate::wait::{Polled, let_run, now, until};

pub(super) const SCENARIOS: &[PacemakerScenario] = &[
    PacemakerScenario {
        name: "health-credentials",
        about: "the standby loses its credentials: no move goes there until it has them again",
        start: StartState::Healthy,
        run: credentials,
    },
    PacemakerScenario {
        name: "health-all-denied",
        about: "IAM denies both nodes at once: the standby is not ready, and nothing stops",
        start: StartState::Healthy,
        run: all_denied,
    },
    PacemakerScenario {
        name: "health-node",
        about: "node_health=true: a standby without credentials turns red and loses its other resource; no node does if IAM denies both",
        start: StartState::Healthy,
        run: node_health,
    },
];

/// A resource that needs no address.
const OTHER: &str = "other";
const COLOUR: &str = "#health-eip";
const STRATEGY: &str = "node-health-strategy=migrate-on-red";
/// Every EC2 call of the agent.
const CALLS: [&str; 3] = ["DescribeAddresses", "AssociateAddress", "DisassociateAddress"];

fn credentials(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let holder = active(cluster)?;
    let standby = another(cluster, holder)?;
    watch(cluster, 3600)?;

    let from = now();
    story.failure(from, format!("{standby} loses its credentials"));
    cluster.world().set_credentials(standby, CredState::Missing404);
    wait_until_ready(cluster, standby, false)?;
    let noticed = now() - from;
    ensure(noticed < 2.0 * MONITOR_INTERVAL.as_secs_f64() + 5.0, || format!("noticed after {noticed:.1} s"))?;
    story.fact(format!("eip-ready-{RESOURCE} is false on {standby} after {noticed:.1} s"));
    let asked = cluster.world().requests_since(from);
    let calls = asked.iter().filter(|request| cluster.world().sender(request) == Some(standby));
    let calls = calls.filter(|request| CALLS.contains(&request.operation.as_str())).count();
    ensure(calls == 0, || format!("{calls} calls to EC2 to find that out"))?;
    // The two attributes reach the other node one after the other.
    until("the attributes as the document shows them", TAKEOVER_LIMIT, || {
        let shown = cluster.run(&["crm_mon", "-A1"])?;
        let node = format!("* Node: {standby}:");
        let own = shown.lines().skip_while(|line| !line.contains(&node)).take(3);
        Polled::tolerant(ensure_shown(OPERATIONS, &own.collect::<Vec<_>>().join("\n")))
    })?;

    cluster.run(&["crm_resource", "--move", "-r", RESOURCE, "-N", &standby.to_string()])?;
    cluster.node(holder)?.command(&["crm_resource", "--wait"])?.limit(TAKEOVER_LIMIT).run()?;
    story.target = Some(holder);
    cluster.settle(Some(holder), TAKEOVER_LIMIT)?;
    cluster.ensure_untouched(from)?;
    story.fact(format!("a move to {standby} was refused by the rule"));
    cluster.insist(&["crm_resource", "--clear", "-r", RESOURCE])?;

    story.note(format!(
        "{standby} has its credentials again, but since its last dry run IAM denies it the address"
    ));
    let denied = Fault::new(Service::Ec2, denied()).operation(CALLS[1]).instance(&parsed(standby.instance()));
    cluster.world().cloud().fault(denied);
    cluster.world().set_credentials(standby, CredState::Valid);
    wait_until_ready(cluster, standby, true)?;
    cluster.run(&["crm_resource", "--move", "-r", RESOURCE, "-N", &standby.to_string()])?;
    cluster.node(holder)?.command(&["crm_resource", "--wait"])?.limit(TAKEOVER_LIMIT).run()?;
    cluster.settle(Some(holder), TAKEOVER_LIMIT)?;
    let shown = cluster.run(&["crm_mon", "-1"])?;
    let failed = shown.lines().skip_while(|line| !line.starts_with("Failed Resource Actions:")).take(2);
    let failed = failed.map(|line| line.split(" at ").next().unwrap_or_default());
    ensure_shown(OPERATIONS, &failed.collect::<Vec<_>>().join("\n"))?;

    story.note(format!("{standby} is allowed to"));
    cluster.world().heal();
    cluster.clean_up()?;
    story.target = Some(standby);
    cluster.settle(Some(standby), TAKEOVER_LIMIT)?;
    cluster.insist(&["crm_resource", "--clear", "-r", RESOURCE])?;
    cluster.ensure_no_failures()?;
    story.close();
    end(cluster)
}

fn all_denied(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let holder = active(cluster)?;
    let standby = another(cluster, holder)?;
    watch(cluster, 1)?;
    let from = now();
    story.failure(from, "IAM denies every call of every node");
    for call in CALLS {
        cluster.world().cloud().deny(call);
    }
    wait_until_ready(cluster, standby, false)?;
    let_run(4 * MONITOR_INTERVAL)?;
    wait_until_ready(cluster, holder, true)?;
    story.target = Some(holder);
    cluster.settle(Some(holder), TAKEOVER_LIMIT)?;
    cluster.ensure_untouched(from)?;
    cluster.ensure_no_failures()?;
    cluster.wait_online()?;
    story.fact("no action, no fail-count, every node online");
    for call in CALLS {
        cluster.world().cloud().allow(call);
    }
    wait_until_ready(cluster, standby, true)?;
    story.close();
    end(cluster)
}

/// [health-8] [health-9] [health-10] [health-11]
fn node_health(cluster: &mut PacemakerCluster, story: &mut Story) -> Result<()> {
    let holder = active(cluster)?;
    let standby = another(cluster, holder)?;
    watch(cluster, 1)?;
    pcs(cluster, &["resource", "create", OTHER, "ocf:pacemaker:Dummy"])?;
    pcs(cluster, &["constraint", "location", OTHER, "prefers", &format!("{standby}=100")])?;
    pcs(cluster, &["resource", "update", "health", "node_health=true"])?;
    cluster.settle(Some(holder), TAKEOVER_LIMIT)?;
    let checked = cluster.node(holder)?.command(&["/run/harness/eipctl", "check"])?.output()?.stdout;
    ensure(checked.contains("set the meta attribute allow-unhealthy-nodes=true"), || checked)?;
    ensure_no_colour(cluster)?;
    pcs(cluster, &["resource", "meta", "health-clone", "allow-unhealthy-nodes=true"])?;
    pcs(cluster, &["property", "set", STRATEGY])?;
    for node in [holder, standby] {
        wait_for(cluster, node, COLOUR, "green")?;
    }
    wait_for_other(cluster, standby)?;

    let from = now();
    story.failure(from, format!("{standby} loses its credentials"));
    cluster.world().set_credentials(standby, CredState::Missing404);
    wait_for(cluster, standby, COLOUR, "yellow")?;
    let yellow = now();
    cluster.ensure_no_action(OTHER, from)?;
    wait_for(cluster, standby, COLOUR, "red")?;
    ensure(now() - yellow > 0.5 * MONITOR_INTERVAL.as_secs_f64(), || "red after one check".to_owned())?;
    wait_for_other(cluster, holder)?;
    wait_for(cluster, holder, COLOUR, "green")?;
    story.note(format!("{standby} has them again"));
    cluster.world().set_credentials(standby, CredState::Valid);
    wait_for(cluster, standby, COLOUR, "green")?;
    wait_for_other(cluster, standby)?;

    let quiet = now();
    story.note(format!("the metadata service of {standby} refuses: unknown"));
    cluster.world().set_imds(standby, ImdsState::Refuse);
    wait_for(cluster, standby, &format!("eip-report-{RESOURCE}"), "ready=unknown")?;
    wait_for(cluster, standby, COLOUR, "green")?;
    cluster.world().heal();
    wait_until_ready(cluster, standby, true)?;

    // Just after a check of the standby: the holder makes one before the standby's next one.
    let before = now();
    until("a check of the standby", TAKEOVER_LIMIT, || {
        let requests = cluster.world().requests_since(before);
        let is_check = |request: &LoggedRequest| {
            cluster.world().sender(request) == Some(standby) && request.operation == CALLS[2]
        };
        Ok(if requests.iter().any(is_check) { Polled::There(()) } else { Polled::NotYet("none".into()) })
    })?;
    story.note("IAM denies every call of every node");
    for call in CALLS {
        cluster.world().cloud().deny(call);
    }
    wait_for(cluster, standby, COLOUR, "yellow")?;
    let_run(4 * MONITOR_INTERVAL)?;
    wait_for(cluster, standby, COLOUR, "yellow")?;
    wait_for(cluster, holder, COLOUR, "green")?;
    cluster.ensure_no_action(OTHER, quiet)?;
    cluster.ensure_untouched(from)?;
    cluster.ensure_no_failures()?;
    cluster.wait_online()?;
    for call in CALLS {
        cluster.world().cloud().allow(call);
    }
    wait_for(cluster, standby, COLOUR, "green")?;
    pcs(cluster, &["property", "set", "node-health-strategy=only-green"])?;
    until("no colour with only-green", TAKEOVER_LIMIT, || Polled::tolerant(ensure_no_colour(cluster)))?;
    story.target = Some(holder);
    story.close();
    pcs(cluster, &["property", "set", "node-health-strategy="])?;
    pcs(cluster, &["resource", "delete", OTHER])?;
    end(cluster)
}

fn ensure_no_colour(cluster: &PacemakerCluster) -> Result<()> {
    let status = cluster.run(&["cibadmin", "--query", "--scope", "status"])?;
    ensure(!status.contains(COLOUR), || format!("{COLOUR} is set: {status}"))
}

/// Waits until the other resource runs on this node.
fn wait_for_other(cluster: &PacemakerCluster, node: NodeName) -> Result<()> {
    until(&format!("{OTHER} on {node}"), TAKEOVER_LIMIT, || {
        let status = cluster.status(node)?;
        let on = status.resource(OTHER).map(|other| (other.role.clone(), other.nodes.clone()));
        let there =
            on.as_ref().is_some_and(|(role, nodes)| role == "Started" && *nodes == [node.to_string()]);
        Ok(if there { Polled::There(()) } else { Polled::NotYet(format!("{on:?}")) })
    })
}

/// Creates the clone and the rule, as the example does, and waits until every node has reported.
fn watch(cluster: &PacemakerCluster, dry_run_interval: u64) -> Result<()> {
    let (interval, dry_runs) = (MONITOR_INTERVAL.as_secs(), format!("dry_run_interval={dry_run_interval}"));
    let monitor = format!("interval={interval}s");
    let create = ["resource", "create", "health", "ocf:heartbeat:eip-health", &dry_runs];
    pcs(cluster, &[&create[..], &["op", "monitor", &monitor, "timeout=20s", "clone"]].concat())?;
    let ready = format!("eip-ready-{RESOURCE}");
    let rule = ["rule", "score=-INFINITY", &ready, "eq", "false"];
    pcs(cluster, &[&["constraint", "location", RESOURCE][..], &rule].concat())?;
    for node in cluster.nodes() {
        wait_until_ready(cluster, node, true)?;
    }
    cluster.settle(None, TAKEOVER_LIMIT).map(drop)
}

fn end(cluster: &PacemakerCluster) -> Result<()> {
    pcs(cluster, &["constraint", "delete", &format!("location-{RESOURCE}")])?;
    pcs(cluster, &["resource", "delete", "health"])?;
    cluster.settle(None, TAKEOVER_LIMIT)?;
    let left = cluster.run(&["cibadmin", "--query", "--scope", "status"])?;
    ensure(!left.contains("eip-ready-"), || format!("attributes are left: {left}"))
}

/// Runs pcs, which after some commands waits for the cluster to be idle: changing attributes keep it busy.
fn pcs(cluster: &PacemakerCluster, words: &[&str]) -> Result<()> {
    let words = [&["pcs"][..], words].concat();
    cluster.node(active(cluster)?)?.command(&words)?.limit(TAKEOVER_LIMIT).run().map(drop)
}

fn wait_until_ready(cluster: &PacemakerCluster, node: NodeName, ready: bool) -> Result<()> {
    wait_for(cluster, node, &format!("eip-ready-{RESOURCE}"), &format!("value=\"{ready}\""))
}

/// Waits until a node's attribute has, or contains, this value.
fn wait_for(cluster: &PacemakerCluster, node: NodeName, attribute: &str, value: &str) -> Result<()> {
    let words = ["attrd_updater", "--query", "--name", attribute, "--node", &node.to_string()];
    until(&format!("{attribute} of {node}: {value}"), TAKEOVER_LIMIT, || {
        Ok(match Polled::tolerant(cluster.run(&words))? {
            Polled::There(said) if said.contains(value) => Polled::There(()),
            Polled::There(said) => Polled::NotYet(said),
            Polled::NotYet(why) => Polled::NotYet(why),
        })
    })
}
