//! Real Heartbeat 3 on two nodes in network namespaces, with `elastic-ip` as the resource of its haresources.
//!
//! `heartbeat test PACKAGES` runs all scenarios with the .deb files of that folder, `heartbeat play GROUP PACKAGES` those of one
//! group. The nodes, the cloud and the client are those of the crate `cluster`; what is here is Heartbeat.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

mod checks;
mod guide;
mod pair;
mod play;
mod programs;
mod scenario;
mod setup;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Instant;

use cluster::error::{Error, Result, ensure};
use cluster::{leftovers, prerequisites, probe, program};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test", packages] => test(Path::new(packages)),
        ["play", group, packages] => play::group(group, Path::new(packages)),
        ["node-web", listen] => web(listen).map(|()| ExitCode::SUCCESS),
        _ => {
            eprintln!(
                "usage: heartbeat test FOLDER-OF-THE-DEB-FILES\n       heartbeat play quick|split|article FOLDER"
            );
            return ExitCode::from(2);
        }
    };
    program::end("heartbeat", outcome)
}

/// Plays all groups at the same time, each in a process with a pair of its own: most of it is waiting for Heartbeat.
fn test(packages: &Path) -> Result<ExitCode> {
    let missing = prerequisites::missing_for_packages(&programs::PROGRAMS);
    if !missing.is_empty() {
        return Ok(program::skip("heartbeat", &missing));
    }
    for item in leftovers::sweep()? {
        println!("removed from a dead run: {item}");
    }
    let packages = std::fs::canonicalize(packages).map_err(Error::io(packages.display()))?;
    let own = std::env::current_exe().map_err(Error::io("finding the harness's own binary"))?;
    let began = Instant::now();
    println!("three pairs of nodes at the same time; each tells when it is done, after one to two minutes");
    let play = |group: &'static str| {
        let mut command = Command::new("setpriv");
        // Should this process be ended, the pairs go, too.
        command.args(["--pdeathsig", "TERM", "--"]).arg(&own).args(["play", group]).arg(&packages);
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        output.map_err(Error::io(format_args!("playing {group}"))).map(|output| {
            println!("\n=== {group}\n{}", String::from_utf8_lossy(&output.stdout).trim_end());
            output.status.success()
        })
    };
    let outcomes: Vec<Result<bool>> = thread::scope(|scope| {
        let players: Vec<_> = play::GROUPS.iter().map(|group| scope.spawn(|| play(group.name))).collect();
        let joined = players.into_iter().map(|player| player.join().unwrap_or(Ok(false)));
        joined.collect()
    });
    let passed = outcomes.into_iter().collect::<Result<Vec<bool>>>()?.into_iter().all(|passed| passed);
    println!("\n{} in {:.0} s", if passed { "all passed" } else { "FAILED" }, began.elapsed().as_secs_f64());
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Is the web server of a node.
fn web(listen: &str) -> Result<()> {
    let listen: SocketAddr = listen.parse().map_err(|error| checks::wrong(format!("{listen}: {error}")))?;
    let path = PathBuf::from("/proc/sys/kernel/hostname");
    let host = std::fs::read_to_string(path).map_err(Error::io("reading the host name"))?;
    let node = setup::node_of(&host);
    ensure(node.is_some(), || format!("{host:?} is no node"))?;
    probe::node_web_as(listen, &node.map(|node| node.to_string()).unwrap_or_default())
}
