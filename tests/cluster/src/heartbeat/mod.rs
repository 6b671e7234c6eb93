//! Real Heartbeat 3 with `elastic-ip` as a resource in `haresources`.

pub mod scenario;
mod setup;

use std::time::Duration;

use crate::error::{Result, ensure};
use crate::pairs::{Group, Manager, NodePair};
use crate::topology::{ELASTIC_IP, NodeName};
use crate::wait::{Epoch, Polled, now};

/// Path of Heartbeat's daemon in Debian.
const DAEMON: &str = "/usr/libexec/heartbeat/heartbeat";
/// The path at which Heartbeat looks for the resource.
const SCRIPT: &str = "/etc/ha.d/resource.d/elastic-ip";
/// Heartbeat's log, relative to a node's log folder.
const LOG: &str = "ha-log";
/// How long Heartbeat may take to stop: it releases the address first.
const STOP_LIMIT: Duration = Duration::from_mins(1);

pub static HEARTBEAT: Manager = Manager {
    name: "heartbeat",
    programs: &[DAEMON, "/usr/share/heartbeat/ResourceManager", "cl_status", "pcs", "cibadmin", "ip"],
    node_files: include_str!("node-files.sh"),
    logs: &["init.out", "heartbeat.out", LOG, "ha-debug"],
    host_name: setup::host_name,
    guide: include_str!("../../../../docs/from-heartbeat.md"),
    script: SCRIPT,
    status,
    releases: true,
    own_addresses: false,
    start,
    flaw,
    groups: &[
        Group { name: "quick", setup: setup::quick, scenarios: scenario::QUICK },
        Group { name: "split", setup: setup::quick, scenarios: scenario::SPLIT },
        Group { name: "article", setup: setup::article, scenarios: scenario::ARTICLE },
    ],
    side_by_side: true,
};

fn status(here: bool) -> (String, i32) {
    if here {
        (format!("elastic-ip remapper: I have {ELASTIC_IP}\nelastic-ip remapper: running\n"), 0)
    } else {
        // LSB's exit code for a service that is not running.
        (format!("elastic-ip remapper: I do not have {ELASTIC_IP}\nelastic-ip remapper: not running\n"), 3)
    }
}

fn start(pair: &mut NodePair, node: NodeName) -> Result<()> {
    let environment = pair.setup().environment.clone();
    let mut words = vec!["env"];
    words.extend(environment.iter().map(String::as_str));
    // At a higher priority than the tests: with `realtime off`, a busy machine would look like a dead node.
    words.extend(["nice", "-n", "-20", DAEMON, "-f"]);
    pair.node_mut(node)?.daemon("heartbeat", &words)
}

fn flaw(pair: &NodePair, holder: NodeName) -> Result<Result<(), String>> {
    let well = pair.well();
    for &node in &well {
        let ask = |words: &[&str]| Polled::tolerant(pair.node(node)?.run(&[&["cl_status"], words].concat()));
        let resources = match ask(&["rscstatus"])? {
            Polled::There(text) => text.trim().to_owned(),
            Polled::NotYet(why) => return Ok(Err(why)),
        };
        // With auto_failback each node has the resources of its own lines; alone it has all.
        let wanted: &[&str] = match (node == holder, well.len() > 1) {
            (true, true) => &["local", "all"],
            (true, false) => &["all"],
            (false, _) => &["local", "foreign", "none"],
        };
        let right = wanted.contains(&resources.as_str())
            || resources == "transition" && has_lost_a_word(&log(pair, node)?);
        if !right {
            return Ok(Err(format!("{node} has resources: {resources}")));
        }
        for &peer in well.iter().filter(|peer| **peer != node) {
            match ask(&["nodestatus", &pair.host_name(peer)])? {
                Polled::There(text) if text.trim() == "active" => {}
                Polled::There(text) => return Ok(Err(format!("{peer} is {}", text.trim()))),
                Polled::NotYet(why) => return Ok(Err(why)),
            }
        }
    }
    Ok(Ok(()))
}

/// True if Heartbeat has logged, since it last started, that it could not read a message: two of its scripts write into one pipe at
/// the same time, and Heartbeat 3.0.6 loses both lines. If one of them was "takeover complete", it reports its resources as in
/// "transition" until the next event. The address is not affected.
fn has_lost_a_word(log: &str) -> bool {
    let since = log.rfind("Configuration validated. Starting heartbeat").unwrap_or_default();
    log.get(since..).is_some_and(|log| log.contains("NV failure (msgfromsteam)"))
}

/// What Heartbeat on a node has logged, over all restarts.
fn log(pair: &NodePair, node: NodeName) -> Result<String> {
    Ok(std::fs::read_to_string(pair.node(node)?.logs().join(LOG)).unwrap_or_default())
}

/// How often Heartbeat has called `elastic-ip` on a node with an action, according to its log.
fn calls(pair: &NodePair, node: NodeName, action: &str) -> Result<usize> {
    let ending = format!(" {action}");
    let call = |line: &&str| line.contains("/elastic-ip ") && line.trim_end().ends_with(&ending);
    Ok(log(pair, node)?.lines().filter(call).count())
}

/// Stops Heartbeat on a node cleanly; returns when the stop began.
fn stop(pair: &mut NodePair, node: NodeName) -> Result<Epoch> {
    let at = now();
    pair.set_stopped(node);
    pair.node(node)?.command(&[DAEMON, "-k"])?.limit(STOP_LIMIT).run()?;
    Ok(at)
}

/// Kills all Heartbeat processes on a node that itself keeps running; returns when.
fn kill(pair: &mut NodePair, node: NodeName) -> Result<Epoch> {
    let at = now();
    pair.set_stopped(node);
    let killed = pair.node(node)?.kill_processes(&["heartbeat"])?;
    ensure(killed > 0, || format!("no process of Heartbeat runs on {node}"))?;
    Ok(at)
}

/// Asserts exit code and output of an action called by hand, with a limit of three seconds.
fn ensure_call(pair: &NodePair, node: NodeName, action: &str, code: i32, said: &str) -> Result<()> {
    let script = format!(
        "cat /etc/default/elastic-ip >/run/settings; echo TIMEOUT=3 >>/run/settings\n\
         ELASTIC_IP_SETTINGS=/run/settings exec {SCRIPT} {ELASTIC_IP} {action}"
    );
    let output = pair.node(node)?.command(&["sh", "-ec", &script])?.output()?;
    let right = output.status.code() == Some(code) && output.stdout.contains(said);
    ensure(right, || format!("{action} on {node}: {output:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_lost_before_heartbeat_began_anew_is_no_excuse() {
        let begins = "n1 heartbeat: [70]: info: Configuration validated. Starting heartbeat 3.0.6\n";
        let lost = "n1 heartbeat: [446]: ERROR: NV failure (msgfromsteam): [>>>\n";
        assert!(has_lost_a_word(&[begins, lost].concat()));
        assert!(!has_lost_a_word(&[begins, lost, begins].concat()));
        assert!(!has_lost_a_word(begins));
    }
}
