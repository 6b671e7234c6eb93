//! Examples that create a cluster from scratch.

use std::path::Path;

use cluster::command::Cmd;
use cluster::error::Result;
use cluster::topology::ELASTIC_IP;

use super::Tool;
use super::stage::Stage;
use crate::script::Script;

pub(super) fn minimal(stage: &mut Stage) -> Result<String> {
    each_node(stage)?;
    let script = match stage.cluster().layout().overlay() {
        Some(address) => stage.script("overlay.sh").with("OVERLAY_IP", address),
        None => stage.script("minimal.sh").with("ELASTIC_IP", ELASTIC_IP),
    };
    stage.run(&script)?;
    let holder = stage.settle(None)?;
    if stage.tool() == Tool::Pcs09 {
        return Ok(format!("the address on {holder}"));
    }
    stage.keep()?;
    stage.move_without_a_gap()?;
    Ok(format!("the address on {holder}, then moved without a gap"))
}

pub(super) fn article(stage: &mut Stage) -> Result<String> {
    each_node(stage)?;
    stage.serve(false)?;
    stage.run(&addressed(stage, stage.script("article.sh")).with("ELASTIC_IP", ELASTIC_IP))?;
    let holder = stage.settle(None)?;
    let served = stage.wait_started("web", 2)?;
    if stage.tool() == Tool::Pcs09 {
        return Ok(format!("web on {}, address on {holder}", served.join(" and ")));
    }
    stage.move_without_a_gap()?;

    // The web server dies: the address moves, because one failure is enough.
    let holder_then = stage.settle(None)?;
    stage.cluster().node(holder_then)?.kill_processes(&["nginx"])?;
    let second = stage.wait_moved(holder_then)?;
    stage.cluster().run(&["crm_resource", "--cleanup"])?;
    stage.wait_started("web", 2)?;
    stage.settle(Some(second))?;

    // The article's own test: Corosync on the active instance ends.
    stage.cluster_mut().kill_corosync(second)?;
    let survivor = stage.wait_moved(second)?;
    stage.repair_all()?;
    // It does not move back by itself.
    stage.settle(Some(survivor))?;
    Ok(format!("web on {}, address on {holder}; it goes where web is, and stays", served.join(" and ")))
}

/// Removes the cluster, so that the next example begins with machines that have none.
pub(super) fn destroy(stage: &mut Stage) -> Result<()> {
    stage.repair_all()?;
    match stage.tool() {
        Tool::Pcs | Tool::Pcs09 => {
            // A node that has lost power has no systemd to start it again.
            stage.everywhere(&["systemctl", "start", "pcsd"])?;
            stage.run_long(&["pcs", "cluster", "destroy", "--all"])
        }
        Tool::Crmsh => {
            stage.everywhere(&["systemctl", "stop", "corosync"])?;
            let forget = "rm -f /etc/corosync/corosync.conf /var/lib/pacemaker/cib/*";
            stage.everywhere(&["sh", "-c", forget])
        }
    }
}

fn each_node(stage: &Stage) -> Result<()> {
    let done = format!("/var/lib/each-node-{}", stage.tool().folder());
    let script = addressed(stage, stage.script("each-node.sh"));
    for name in stage.cluster().nodes() {
        let node = stage.cluster().node(name)?;
        if node.run(&["test", "-e", &done]).is_err() {
            // The token of Corosync 3's defaults: another example shortens it.
            script.clone().with("TOKEN", 3000).run(stage.cluster(), name)?;
            node.run(&["touch", &done])?;
            known_packages(stage, &node.run(&["cat", "/var/log/installed"])?)?;
        }
    }
    Ok(())
}

/// Asserts that packages exist for the names that each-node.sh would install: here everything is installed already.
fn known_packages(stage: &Stage, names: &str) -> Result<()> {
    // CentOS 7's names cannot be looked up here.
    if stage.tool() == Tool::Pcs09 || !Path::new("/usr/bin/dpkg").exists() {
        return Ok(());
    }
    let mut names: Vec<_> = names.lines().collect();
    names.insert(0, "--status");
    names.insert(0, "dpkg");
    Cmd::new(names).run().map(drop)
}

fn addressed(stage: &Stage, script: Script) -> Script {
    let nodes = stage.cluster().nodes().into_iter().zip(1..);
    nodes.fold(script, |script, (node, number)| script.with(&format!("ADDRESS{number}"), node.address()))
}
