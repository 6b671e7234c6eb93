//! Real keepalived with `eip-keepalived` as its notify script and its check.

pub mod scenario;
mod setup;

use crate::error::Result;
use crate::pairs::{Group, Manager, NodePair};
use crate::topology::{NodeName, own_address};
use crate::wait::{Epoch, Polled, now, until};

pub static KEEPALIVED: Manager = Manager {
    name: "keepalived",
    programs: &["keepalived", "killall", "pgrep"],
    node_files: include_str!("node-files.sh"),
    logs: &["init.out", "keepalived.out", "eip.log"],
    host_name: setup::host_name,
    guide: include_str!("../../../../docs/from-keepalived.md"),
    script: "/usr/sbin/eip-keepalived",
    // The article's output.
    status: |here| if here { ("OK\n".to_owned(), 0) } else { ("FAIL\n".to_owned(), 1) },
    releases: false,
    own_addresses: true,
    start,
    flaw,
    groups: &[
        Group { name: "article", setup: setup::article, scenarios: scenario::ARTICLE },
        Group { name: "v2", setup: setup::example, scenarios: scenario::EXAMPLE },
        Group { name: "v3", setup: setup::fast, scenarios: scenario::FAST },
    ],
    // With VRRP timers of fractions of a second, a machine that is busy with other pairs looks like a dead node.
    side_by_side: false,
};

fn start(pair: &mut NodePair, node: NodeName) -> Result<()> {
    pair.node(node)?.run(&["systemctl", "start", "keepalived"]).map(drop)
}

fn flaw(pair: &NodePair, holder: NodeName) -> Result<Result<(), String>> {
    for node in pair.well() {
        let state = state(pair, node)?;
        if (state == "MASTER") != (node == holder) {
            return Ok(Err(format!("keepalived on {node} is {state}")));
        }
        let own = pair.world().cloud().holder(own_address(node));
        let has_own = own.is_some_and(|own| own.instance.as_str() == node.instance());
        if has_own != (node != holder) {
            let has = if node == holder { "still has" } else { "has not got" };
            return Ok(Err(format!("{node} {has} its own address")));
        }
    }
    Ok(Ok(()))
}

/// The state that keepalived on a node logged last; a dash if it does not run.
fn state(pair: &NodePair, node: NodeName) -> Result<String> {
    let log = pair.node(node)?.output_of("keepalived");
    let told = |line: &str| match line.split_once(") Entering ") {
        Some((_, state)) => state.split(' ').next().map(str::to_owned),
        None => {
            (line.ends_with(": Stopping") || line.contains(": Starting Keepalived")).then(|| "-".to_owned())
        }
    };
    Ok(log.lines().rev().find_map(told).unwrap_or_else(|| "-".to_owned()))
}

/// Waits until keepalived on a node is MASTER.
fn wait_for_master(pair: &NodePair, node: NodeName) -> Result<()> {
    until(&format!("keepalived makes {node} MASTER"), scenario::LIMIT, || {
        let state = state(pair, node)?;
        Ok(if state == "MASTER" { Polled::There(()) } else { Polled::NotYet(state) })
    })
}

/// Waits until a process verifies a MASTER claim on a node, or no process does any more.
fn wait_for_look_after(pair: &NodePair, node: NodeName, wanted: bool) -> Result<()> {
    // Notifications come as MASTER from `notify`, and as master from notify_master_rx_lower_pri. pgrep exits with 1 if there is none.
    let list = "pgrep -f -- 'called-as=[e]ip-keepalived .*(MASTER|master)' || [ $? = 1 ]";
    let what = format!("the claim of {node} is {}being verified", if wanted { "" } else { "no longer " });
    until(&what, scenario::LIMIT, || {
        let running = pair.node(node)?.run(&["sh", "-c", list])?;
        let there = !running.trim().is_empty();
        Ok(if there == wanted { Polled::There(()) } else { Polled::NotYet(format!("running: {running:?}")) })
    })
}

/// Stops keepalived on a node cleanly, with SIGTERM; returns when the stop began.
fn stop(pair: &NodePair, node: NodeName) -> Result<Epoch> {
    let at = now();
    pair.node(node)?.run(&["systemctl", "stop", "keepalived"])?;
    Ok(at)
}
