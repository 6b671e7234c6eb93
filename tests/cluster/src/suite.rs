//! Runs scenarios one after another on one cluster, and on a fresh one after a failure.

use std::time::Instant;

use crate::chronicle::Chronicle;
use crate::cli::Plan;
use crate::cluster::{Cluster, Options};
use crate::error::{Error, Result};
use crate::report::{self, Row};
use crate::save;
use crate::scenario::{Scenario, Story};

/// Runs the plan, prints each scenario as it ends and the table at the end, and returns whether all passed.
///
/// # Errors
/// When a cluster cannot be brought up, or on a signal. A scenario that fails is no error here.
pub fn run(plan: &Plan) -> Result<bool> {
    let began = Instant::now();
    println!("agent under test: {}", plan.options.agent.display());
    let mut cluster: Option<Cluster> = None;
    let mut rows = Vec::new();
    for scenario in &plan.scenarios {
        let mut running = match cluster.take() {
            Some(running) if running.is_in_one_subnet() == scenario.start.needs_one_subnet() => running,
            other => {
                // One ends before the next begins.
                drop(other);
                up(plan, scenario.start.needs_one_subnet())?
            }
        };
        let row = play(&mut running, scenario, plan)?;
        // Whatever a failed scenario left behind would fail the next one, too.
        if row.failed.is_none() {
            cluster = Some(running);
        }
        rows.push(row);
    }
    drop(cluster);
    print!("{}", report::table(&rows));
    let passed = rows.iter().filter(|row| row.failed.is_none()).count();
    let failed = rows.len() - passed;
    println!("\n{passed} passed, {failed} failed in {:.0} s", began.elapsed().as_secs_f64());
    Ok(failed == 0)
}

fn up(plan: &Plan, one_subnet: bool) -> Result<Cluster> {
    let began = Instant::now();
    let cluster = Cluster::up(&Options { one_subnet, ..plan.options.clone() })?;
    println!("{} nodes online after {:.1} s", plan.options.nodes, began.elapsed().as_secs_f64());
    Ok(cluster)
}

fn play(cluster: &mut Cluster, scenario: &'static Scenario, plan: &Plan) -> Result<Row> {
    let mut story = Story::default();
    let outcome = scenario.play(cluster, &mut story);
    if let Err(Error::Interrupted) = outcome {
        return Err(Error::Interrupted);
    }
    let told = Chronicle::of(cluster, &story)?;
    print!("{}", report::scenario(scenario.name, scenario.about, outcome.as_ref().err(), &story, &told));
    if outcome.is_err() {
        print!("{}", save::digest(cluster));
        match save::all(cluster, &plan.save, scenario.name) {
            Ok(folder) => println!("--- all logs: {}", folder.display()),
            Err(error) => println!("--- logs could not be kept: {error}"),
        }
    }
    let failed = outcome.err().map(|error| error.to_string());
    Ok(Row { name: scenario.name, failed, chronicle: Some(told) })
}
