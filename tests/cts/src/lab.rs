//! cts-lab, unmodified, on nodes in namespaces: it starts and stops the cluster in every order, kills daemons, isolates nodes,
//! and runs its own audits. Then the simulator's records are checked too.
//!
//! Stand-ins for `ssh` and `service` run its commands on the nodes. There is no fencing and no systemd.

mod summary;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cluster::command::{Cmd, kill_group};
use cluster::error::{HarnessError, Result, ensure};
use cluster::pacemaker::corosync;
use cluster::pacemaker::journal::{Event, EventKind};
use cluster::pacemaker::{ClusterOptions, ELASTIC, PRIVATE, PacemakerCluster};
use cluster::state_dir::StateDir;
use cluster::topology::{CLOUD_IP, Layout, NodeName};
use cluster::wait::{Polled, until};

use self::summary::LabSummary;
use crate::cli::LabPlan;
use crate::{ADDRESSES, parameters, prepare_overlay};

/// Tests of cts-lab in the order in which they run: how often each, and the minimum number of nodes. Excluded are those that need fencing
/// (Stonithd), Pacemaker Remote, or ssh from node to node (Cibsecret). `ComponentFail` is first because of
/// [`SEED`].
const TESTS: [(&str, usize, u8); 16] = [
    ("ComponentFail", 2, 2),
    ("Flip", 2, 2),
    ("Restart", 1, 2),
    ("StartOnebyOne", 1, 2),
    ("SimulStart", 1, 2),
    ("SimulStop", 1, 2),
    ("StopOnebyOne", 1, 2),
    ("RestartOnebyOne", 1, 2),
    ("PartialStart", 1, 2),
    ("Standby", 1, 2),
    ("MaintenanceMode", 1, 2),
    // Skips itself if the node that it draws has no resource.
    ("ResourceRecover", 4, 2),
    ("SplitBrain", 1, 3),
    ("Reattach", 1, 2),
    ("ResyncCIB", 1, 2),
    // Draws for each node whether it has to be up, and skips itself if all nodes already are as drawn.
    ("NearQuorumPoint", 3, 2),
];
/// Default seed with which cts-lab draws nodes and daemons. With this one `ComponentFail` kills the executor, then the CIB manager, and
/// never Corosync, whose loss CTS expects to end in fencing.
pub const SEED: &str = "37";

/// A test takes 15 s to 3 minutes.
const LIMIT: Duration = Duration::from_mins(50);
const CIB: &str = "/var/lib/pacemaker/cib/cib.xml";
const LOG: &str = "/var/log/pacemaker/pacemaker.log";
/// What CTS makes Pacemaker log, without an action, to see it recover.
const PRETENDED_FAILURE: &str = "asyncmon";
/// Stand-ins, with the folder below the state folder in which cts-lab or a node's `prepare` finds them.
const STAND_INS: [(&str, &str); 4] = [
    ("exerciser/ssh", include_str!("lab/ssh.sh")),
    ("exerciser.sh", include_str!("lab/exerciser.sh")),
    ("service", include_str!("lab/service.sh")),
    ("services", include_str!("../../examples/src/node/systemctl.sh")),
];

/// Runs the plan's tests, prints cts-lab's output and the verdict, and returns whether all passed.
///
/// # Errors
/// If the nodes or cts-lab cannot be started, or on a signal.
pub fn run(plan: &LabPlan) -> Result<bool> {
    let began = Instant::now();
    let applying = TESTS.iter().filter(|(_, _, fewest)| plan.nodes >= *fewest);
    let all = || applying.flat_map(|(name, times, _)| vec![(*name).to_owned(); *times]).collect();
    let tests: Vec<String> = if plan.tests.is_empty() { all() } else { plan.tests.clone() };
    let mut cluster = boot(plan)?;
    prepare_overlay(&cluster)?;
    for node in cluster.nodes() {
        configure(&cluster, node)?;
    }
    let log = plan.save.join(format!("lab-{}.log", plan.nodes));
    prepare_log(&log)?;
    let outcome = exercise(&cluster, plan, &tests, &log);
    keep_node_logs(&cluster, &plan.save)?;
    outcome?;
    let text =
        fs::read_to_string(&log).map_err(HarnessError::io(format_args!("reading {}", log.display())))?;
    let mut wrong = summary::flaws(&LabSummary::parse(&text), &tests);
    wrong.extend(flaws_of_the_addresses(&mut cluster)?);
    for flaw in &wrong {
        println!("cts-lab with {} nodes: wrong: {flaw}", plan.nodes);
    }
    let failed = wrong.len().min(tests.len());
    println!(
        "{} passed, {failed} failed in {:.0} s (cts-lab with {} nodes; log: {})",
        tests.len() - failed,
        began.elapsed().as_secs_f64(),
        plan.nodes,
        log.display()
    );
    Ok(wrong.is_empty())
}

/// Boots the nodes without a cluster: cts-lab starts it itself.
fn boot(plan: &LabPlan) -> Result<PacemakerCluster> {
    // In one subnet, so that a private address can move, too.
    let (nodes, token) = (plan.nodes, Duration::from_secs(1));
    let options = ClusterOptions { agent: plan.agent.clone(), nodes, token, layout: Layout::OneSubnet };
    let names: Vec<NodeName> = NodeName::first(nodes).collect();
    let cluster = PacemakerCluster::boot(&options, |state, node| {
        // cts-lab reads one log of each node, and expects Corosync's lines in it, too.
        let corosync = corosync::configuration(&names, token).replace("/var/log/corosync/corosync.log", LOG);
        state.write(&format!("{node}/etc-corosync/corosync.conf"), &renamed(&corosync, &names))?;
        // Reattach writes rules that older schemas do not have.
        let seed = corosync::seed_cib(&names).replace("pacemaker-3.0", "pacemaker-4.0");
        state.write(&format!("{node}/seed-cib.xml"), &seed)?;
        state.write(&format!("{node}/hosts"), &renamed(&corosync::hosts(&names), &names))?;
        executable(state, &format!("{node}/prepare"), include_str!("lab/prepare.sh"))?;
        STAND_INS.iter().try_for_each(|(name, text)| executable(state, name, text))
    })?;
    let hosts = format!("{}{CLOUD_IP} exerciser\n", renamed(&corosync::hosts(&names), &names));
    cluster.state().write("hosts", &hosts)?;
    Ok(cluster)
}

/// Name of a node in the cluster. cts-lab ignores a partition of two characters or less, such as `n1` alone.
fn name_of(node: NodeName) -> String {
    format!("node{}", node.number())
}

/// A configuration file with those names at the ends of its lines.
fn renamed(text: &str, nodes: &[NodeName]) -> String {
    nodes.iter().fold(text.to_owned(), |text, node| {
        text.replace(&format!(" {node}\n"), &format!(" {}\n", name_of(*node)))
    })
}

/// Puts a resource of each agent into the CIB on a node's disk.
fn configure(cluster: &PacemakerCluster, node: NodeName) -> Result<()> {
    for address in ADDRESSES {
        let agent = address.agent;
        let parameters: Vec<_> =
            parameters(address).iter().map(|(name, value)| format!("{name}={value}")).collect();
        let create = format!(
            "pcs -f {CIB} resource create {agent} ocf:heartbeat:{agent} {} \
             op monitor interval=3s timeout=20s meta allow-migrate=true",
            parameters.join(" ")
        );
        cluster.node(node)?.run(&create.split_whitespace().collect::<Vec<_>>())?;
    }
    // pcs rewrites it.
    cluster.node(node)?.run(&["chown", "hacluster:haclient", CIB]).map(drop)
}

fn prepare_log(log: &Path) -> Result<()> {
    let folder = log.parent().unwrap_or(log);
    fs::create_dir_all(folder).map_err(HarnessError::io(format_args!("making {}", folder.display())))?;
    fs::write(log, "").map_err(HarnessError::io(format_args!("emptying {}", log.display())))
}

/// Runs cts-lab to its end; its output goes to standard error, and together with its commands to `log`.
fn exercise(cluster: &PacemakerCluster, plan: &LabPlan, tests: &[String], log: &Path) -> Result<()> {
    let path = |path: &Path| path.display().to_string();
    let folder = path(cluster.state().path());
    let net = format!("--net={}", path(&cluster.net().cloud()));
    let exerciser = format!("{folder}/exerciser.sh");
    let nodes = cluster.nodes().into_iter().map(name_of).collect::<Vec<_>>().join(" ");
    let (tests, log) = (tests.join(" "), path(log));
    // CTS is not to write its own CIB, so --clobber-cib is not given.
    let words = [
        "nsenter",
        &net,
        "unshare",
        "--mount",
        "--uts",
        "--",
        &exerciser,
        &folder,
        "--nodes",
        &nodes,
        "--logfile",
        LOG,
        "--outputfile",
        &log,
        "--disable-fencing",
        "--seed",
        &plan.seed,
        "--choose",
        &tests,
    ];
    let mut lab = Cmd::new(words).build().spawn().map_err(HarnessError::io("starting cts-lab"))?;
    let ended = until("the end of cts-lab", LIMIT, || {
        let ended = lab.try_wait().map_err(HarnessError::io("waiting for cts-lab"))?;
        Ok(ended.map_or(Polled::NotYet("still running".into()), Polled::There))
    });
    if ended.is_err() {
        kill_group(&mut lab);
    }
    // Its exit code says less than its summary.
    ended.map(drop)
}

/// What is wrong with the addresses after all tests, when every node has stopped.
fn flaws_of_the_addresses(cluster: &mut PacemakerCluster) -> Result<Vec<String>> {
    let mut flaws = Vec::new();
    let mut check = |outcome: Result<()>| match outcome {
        Err(HarnessError::Wrong(why)) => {
            flaws.push(why);
            Ok(())
        }
        other => other,
    };
    check(cluster.ensure_no_theft(0.0))?;
    // The routes for an overlay address stay.
    for address in [&ELASTIC, &PRIVATE] {
        let holder = cluster.world().holder_of(address.ip);
        let still = || holder.map_or_else(String::new, |node| format!("{} is still on {node}", address.ip));
        check(ensure(holder.is_none(), still))?;
    }
    flaws.extend(cluster.events_since(0.0)?.iter().filter_map(failed_action));
    Ok(flaws)
}

/// A failed action of an agent, in words.
fn failed_action(event: &Event) -> Option<String> {
    let EventKind::Ended { action, resource, result } = &event.kind else { return None };
    let well =
        ["ok", "not running", "Cancelled", "Done"].iter().any(|good| result.eq_ignore_ascii_case(good));
    (!well && action != PRETENDED_FAILURE)
        .then(|| format!("{} of {resource} on {}: {result}", action, event.node))
}

fn keep_node_logs(cluster: &PacemakerCluster, save: &Path) -> Result<()> {
    let nodes = cluster.nodes();
    for name in &nodes {
        let from: PathBuf = cluster.node(*name)?.logs().join("pacemaker/pacemaker.log");
        let to = save.join(format!("lab-{}-{name}.log", nodes.len()));
        if from.exists() {
            fs::copy(&from, &to).map_err(HarnessError::io(format_args!("copying {}", from.display())))?;
        }
    }
    Ok(())
}

fn executable(state: &StateDir, name: &str, text: &str) -> Result<()> {
    let path = state.write(name, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
        .map_err(HarnessError::io(format_args!("making {name} executable")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(action: &str, result: &str) -> Event {
        let (action, result) = (action.to_owned(), result.to_owned());
        Event {
            at: 0.0,
            node: "n1".parse().unwrap(),
            kind: EventKind::Ended { action, resource: "eip".into(), result },
        }
    }

    #[test]
    fn every_name_of_a_node_is_changed_and_no_address() {
        let nodes: Vec<NodeName> = NodeName::first(2).collect();
        let hosts = renamed(&corosync::hosts(&nodes), &nodes);
        assert_eq!(hosts, "127.0.0.1 localhost\n10.77.1.10 node1\n10.77.2.10 node2\n");
        let configuration = renamed(&corosync::configuration(&nodes, Duration::from_secs(1)), &nodes);
        assert!(configuration.contains("    name: node1\n    nodeid: 1\n"), "{configuration}");
        assert!(configuration.contains("    ring0_addr: 10.77.2.10\n    name: node2\n"), "{configuration}");
    }

    #[test]
    fn an_action_that_failed_is_a_flaw_unless_cts_only_pretended_it() {
        assert_eq!(failed_action(&ended("start", "ok")), None);
        assert_eq!(failed_action(&ended("monitor", "not running")), None);
        assert_eq!(failed_action(&ended("asyncmon", "error")), None);
        let flaw = failed_action(&ended("stop", "error (EC2: no answer)"));
        assert_eq!(flaw.as_deref(), Some("stop of eip on n1: error (EC2: no answer)"));
    }
}
