//! Runs Pacemaker's own test suites from the package pacemaker-cts, with our agents as the resources: `cts-exec` for its
//! executor, `cts-lab` for whole clusters.
//!
//! Both end processes by name and install files, so they run only in a root folder that is discarded with them (`tests/next/enter`).
//! The suites judge by their own rules; [`lab`] adds what has to hold for the addresses.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing))]

mod answers;
mod cli;
mod executor;
mod lab;

use std::path::Path;
use std::process::ExitCode;

use aws_sim::RouteTableSpec;
use clap::Parser as _;
use cluster::error::{HarnessError, Result};
use cluster::pacemaker::{ELASTIC, ManagedAddress, OVERLAY, PRIVATE, PacemakerCluster};
use cluster::topology::{CLOUD_IP, EC2_PORT, OVERLAY_IP};
use cluster::{interrupt, prerequisites, probe, program};

use self::cli::CtsCommand;

/// `tests/next/enter` creates it in the `/run` of its root.
const DISPOSABLE_ROOT: &str = "/run/disposable-root";
/// The folder of the programs of the package pacemaker-cts.
const PROGRAMS: &str = "/usr/share/pacemaker/tests";

fn main() -> ExitCode {
    program::end("cts", run(CtsCommand::parse()))
}

fn run(request: CtsCommand) -> Result<ExitCode> {
    if let CtsCommand::NodeWeb { listen } = request {
        return probe::node_web(listen).map(|()| ExitCode::SUCCESS);
    }
    let missing = missing();
    if !missing.is_empty() {
        return Ok(program::skip("cts", &missing));
    }
    interrupt::install().map_err(HarnessError::io("installing signal handlers"))?;
    let passed = match request {
        CtsCommand::Exec { agent } => executor::run(&agent)?,
        CtsCommand::Lab(plan) => lab::run(&plan)?,
        CtsCommand::NodeWeb { .. } => true,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One address for each agent.
const ADDRESSES: [&ManagedAddress; 3] = [&ELASTIC, &PRIVATE, &OVERLAY];

/// The parameters of a resource for an address.
fn parameters(address: &ManagedAddress) -> Vec<(&'static str, String)> {
    let mut parameters = vec![(address.parameter, address.ip.to_string())];
    if *address == OVERLAY {
        parameters.push(("routing_table", "auto".to_owned()));
    }
    parameters.push(("endpoint_url", format!("http://{CLOUD_IP}:{EC2_PORT}")));
    parameters
}

/// Adds a route table with a route for the overlay address, and turns off the nodes' source/destination checks, because the layout with one subnet does not.
fn prepare_overlay(cluster: &PacemakerCluster) -> Result<()> {
    cluster.world().cloud().add_route_table(RouteTableSpec::numbered(1));
    lead_to(cluster, "tgw-0c10d000000000001");
    cluster.nodes().into_iter().try_for_each(|node| cluster.world().set_source_dest_check(node, false))
}

/// Leads the route for the overlay address to a target.
fn lead_to(cluster: &PacemakerCluster, target: &str) {
    cluster.world().cloud().route(&RouteTableSpec::numbered(1).id, OVERLAY_IP, target);
}

fn missing() -> Vec<String> {
    let mut missing = prerequisites::missing();
    if !Path::new(DISPOSABLE_ROOT).exists() {
        missing.push(
            "this is not a root folder of its own, as tests/next/enter makes one: run `make cts`".into(),
        );
    }
    if !Path::new(PROGRAMS).is_dir() {
        missing.push(format!("{PROGRAMS} does not exist: pacemaker-cts is not installed"));
    }
    missing
}
