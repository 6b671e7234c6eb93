//! A cluster for manual exploration.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use super::scenario::TAKEOVER_LIMIT;
use super::{ClusterOptions, PacemakerCluster};
use crate::error::{HarnessError, Result};
use crate::topology::{CLOUD_IP, EC2_PORT, ELASTIC_IP};
use crate::wait::{Polled, until};

/// Long enough for anybody.
const FOR_EVER: Duration = Duration::from_hours(365 * 24);

/// Brings a cluster with its resource up, says how to use it, and keeps it until a signal comes.
pub fn run(options: &ClusterOptions) -> Result<()> {
    let cluster = PacemakerCluster::up(options)?;
    cluster.create_resource()?;
    let active = cluster.settle(None, TAKEOVER_LIMIT)?;
    let enter = write_enter(&cluster)?;
    let (enter, cloud) = (enter.display(), cluster.net().cloud());
    println!("{ELASTIC_IP} is on {active}. In another terminal, as root:");
    for node in cluster.nodes() {
        println!(
            "  {enter} {node}                 # a shell in {node}; or a command: {enter} {node} pcs status"
        );
    }
    println!("  nsenter --net={} bash     # the cloud: curl http://{ELASTIC_IP}/", cloud.display());
    println!(
        "  curl http://{CLOUD_IP}:{EC2_PORT}/_sim/state   # there: the simulator (state, log, fault, ...)"
    );
    println!("Ctrl-C removes everything.");
    match until("Ctrl-C", FOR_EVER, || Ok(Polled::<()>::NotYet(String::new()))) {
        Err(HarnessError::Interrupted) => Ok(()),
        other => other,
    }
}

/// A node's PID 1 changes when the node is booted again: the script looks it up.
fn write_enter(cluster: &PacemakerCluster) -> Result<PathBuf> {
    let folder = cluster.state().path().display();
    let script = format!(
        "#!/bin/sh\n# Runs a command, or a shell, in a node.\nnode=$1; shift\n[ $# -gt 0 ] || set -- bash\nexec nsenter -t \"$(cat \
         {folder}/$node/init.pid)\" -m -u -i -n -p -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
         TERM=\"$TERM\" LC_ALL=C.UTF-8 HOME=/root \"$@\"\n"
    );
    let path = cluster.state().write("enter", &script)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
        .map_err(HarnessError::io("making enter executable"))?;
    Ok(path)
}
