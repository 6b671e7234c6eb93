//! Expectations for each example, and the clusters that they are checked on.
//!
//! One cluster runs a tool's examples one after another; between them its configuration is reset to that of the minimal example.
//! After a failure the next one gets a new cluster.

mod add;
mod build;
mod look;
mod stage;
mod switch;
mod tune;

use std::time::Instant;

use cluster::error::{HarnessError, Result};
use cluster::pacemaker::save;
use cluster::topology::Layout;

use self::stage::Stage;
use crate::cli::ExamplesPlan;

/// The tool that a folder of examples is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// pcs 0.10 and later.
    Pcs,
    /// pcs 0.9, through a stand-in that accepts the same commands.
    Pcs09,
    /// crmsh.
    Crmsh,
}

impl Tool {
    /// Its folder below `pcs-examples`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Pcs => "pcs-0.10",
            Self::Pcs09 => "pcs-0.9",
            Self::Crmsh => "crmsh",
        }
    }

    /// The tool that creates its clusters. pcs 0.9 is not available for that, and crmsh is faster than the newer pcs.
    #[must_use]
    pub fn maker(self) -> Self {
        if self == Self::Pcs09 { Self::Crmsh } else { self }
    }
}

/// Initial state of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Two machines without a cluster.
    Nothing,
    /// A cluster without resources: for pcs 0.9, which cannot make one here.
    Bare,
    /// The cluster that the minimal example creates.
    Minimal,
}

/// An example and its expectations. Returns what it measured or observed, in words.
pub struct Case {
    tool: Tool,
    file: &'static str,
    layout: Layout,
    start: Start,
    run: fn(&mut Stage) -> Result<String>,
}

impl Case {
    /// The name of the concurrent cluster that it runs on: a tool and a layout serve one another's examples, in lanes of about the same
    /// duration.
    pub fn lane(&self) -> String {
        let tool = if self.layout == Layout::Zones { self.tool } else { self.tool.maker() };
        format!("{}{}", self.kind(), tool.folder())
    }

    fn name(&self) -> String {
        format!("{}{}/{}", self.kind(), self.tool.folder(), self.file)
    }

    fn kind(&self) -> &'static str {
        if self.layout == Layout::RouteTables { "overlay/" } else { "" }
    }
}

/// Ordered so that one cluster serves as many of them as possible.
const CASES: &[Case] = &[
    case(Tool::Pcs, "minimal.sh", Start::Nothing, build::minimal),
    case(Tool::Pcs, "fast.sh", Start::Minimal, tune::fast),
    case(Tool::Pcs, "several-addresses.sh", Start::Minimal, add::several_addresses),
    case(Tool::Pcs, "announce.sh", Start::Minimal, add::announce),
    case(Tool::Pcs, "fencing.sh", Start::Minimal, add::fencing),
    case(Tool::Pcs, "health.sh", Start::Minimal, add::health),
    case(Tool::Pcs, "from-one-parameter-eip.sh", Start::Minimal, switch::from_one_parameter),
    case(Tool::Pcs, "from-awseip.sh", Start::Minimal, switch::from_awseip),
    case(Tool::Pcs, "web-server.sh", Start::Minimal, add::web_server),
    case(Tool::Pcs, "article.sh", Start::Nothing, build::article),
    case(Tool::Crmsh, "minimal.sh", Start::Nothing, build::minimal),
    case(Tool::Crmsh, "fast.sh", Start::Minimal, tune::fast),
    case(Tool::Crmsh, "several-addresses.sh", Start::Minimal, add::several_addresses),
    case(Tool::Crmsh, "announce.sh", Start::Minimal, add::announce),
    case(Tool::Crmsh, "fencing.sh", Start::Minimal, add::fencing),
    case(Tool::Crmsh, "health.sh", Start::Minimal, add::health),
    case(Tool::Crmsh, "from-one-parameter-eip.sh", Start::Minimal, switch::from_one_parameter),
    case(Tool::Crmsh, "from-awseip.sh", Start::Minimal, switch::from_awseip),
    case(Tool::Crmsh, "web-server.sh", Start::Minimal, add::web_server),
    case(Tool::Pcs09, "minimal.sh", Start::Bare, build::minimal),
    case(Tool::Pcs09, "fast.sh", Start::Minimal, tune::settings),
    case(Tool::Pcs09, "several-addresses.sh", Start::Minimal, add::several_addresses),
    case(Tool::Pcs09, "announce.sh", Start::Minimal, add::announce),
    case(Tool::Pcs09, "fencing.sh", Start::Minimal, add::fencing),
    case(Tool::Pcs09, "health.sh", Start::Minimal, add::health),
    case(Tool::Pcs09, "from-one-parameter-eip.sh", Start::Minimal, switch::from_one_parameter),
    case(Tool::Pcs09, "from-awseip.sh", Start::Minimal, switch::from_awseip),
    case(Tool::Pcs09, "web-server.sh", Start::Minimal, add::web_server),
    case(Tool::Pcs09, "article.sh", Start::Bare, build::article),
    case(Tool::Crmsh, "article.sh", Start::Bare, build::article),
    overlay(Tool::Pcs, "overlay.sh", Start::Nothing, build::minimal),
    overlay(Tool::Pcs, "from-aws-vpc-move-ip.sh", Start::Minimal, switch::from_move_ip),
    overlay(Tool::Pcs, "fencing.sh", Start::Minimal, add::fencing),
    overlay(Tool::Pcs, "web-server.sh", Start::Minimal, add::web_server),
    overlay(Tool::Pcs, "overlay-sap.sh", Start::Bare, add::sap),
    overlay(Tool::Pcs, "overlay-shared-vpc.sh", Start::Bare, add::shared_vpc),
    overlay(Tool::Crmsh, "overlay.sh", Start::Nothing, build::minimal),
    overlay(Tool::Crmsh, "from-aws-vpc-move-ip.sh", Start::Minimal, switch::from_move_ip),
    overlay(Tool::Crmsh, "fencing.sh", Start::Minimal, add::fencing),
    overlay(Tool::Crmsh, "web-server.sh", Start::Minimal, add::web_server),
    overlay(Tool::Crmsh, "overlay-sap.sh", Start::Bare, add::sap),
    overlay(Tool::Crmsh, "overlay-shared-vpc.sh", Start::Bare, add::shared_vpc),
    overlay(Tool::Pcs09, "overlay.sh", Start::Bare, build::minimal),
    overlay(Tool::Pcs09, "from-aws-vpc-move-ip.sh", Start::Minimal, switch::from_move_ip),
    overlay(Tool::Pcs09, "fencing.sh", Start::Minimal, add::fencing),
    overlay(Tool::Pcs09, "web-server.sh", Start::Minimal, add::web_server),
    overlay(Tool::Pcs09, "overlay-sap.sh", Start::Bare, add::sap),
    overlay(Tool::Pcs09, "overlay-shared-vpc.sh", Start::Bare, add::shared_vpc),
];

const fn case(tool: Tool, file: &'static str, start: Start, run: fn(&mut Stage) -> Result<String>) -> Case {
    Case { tool, file, layout: Layout::Zones, start, run }
}

/// The same on a cluster whose nodes are reached through route tables: its minimal example is `overlay.sh`.
const fn overlay(
    tool: Tool,
    file: &'static str,
    start: Start,
    run: fn(&mut Stage) -> Result<String>,
) -> Case {
    Case { layout: Layout::RouteTables, ..case(tool, file, start, run) }
}

/// The examples that the plan selects.
pub fn wanted(plan: &ExamplesPlan) -> impl Iterator<Item = &'static Case> {
    CASES.iter().filter(|case| {
        plan.wanted.is_empty() || plan.wanted.iter().any(|part| case.name().contains(part.as_str()))
    })
}

/// Runs the selected examples of one lane, prints the result of each, and returns how many failed.
///
/// # Errors
/// On a signal, or if nodes cannot be booted. An example that fails is no error here.
pub fn run_all(plan: &ExamplesPlan, lane: &str) -> Result<usize> {
    let mut outcomes = Vec::new();
    let mut stage: Option<Stage> = None;
    for case in wanted(plan).filter(|case| case.lane() == lane) {
        let began = Instant::now();
        let outcome = play(case, &mut stage, plan)?;
        tell(&case.name(), &outcome, began);
        outcomes.push(outcome.is_ok());
    }
    let failed = outcomes.iter().filter(|passed| !**passed).count();
    let passed = outcomes.len() - failed;
    println!("{passed} passed, {failed} failed of {lane}");
    Ok(failed)
}

/// Prints the line of an example.
fn tell(name: &str, outcome: &Result<String>, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    match outcome {
        Ok(seen) => println!("ok     {name:<40} {seconds:>5.1} s  {seen}"),
        Err(error) => println!("FAILED {name:<40} {seconds:>5.1} s\n       ! {error}"),
    }
}

fn play(case: &Case, stage: &mut Option<Stage>, plan: &ExamplesPlan) -> Result<Result<String>> {
    let mut own = match stage.take().filter(|stage| stage.cluster().layout() == case.layout) {
        Some(stage) => stage,
        None => Stage::boot(plan, case.layout)?,
    };
    let outcome = own.prepare(case.tool, case.start).and_then(|()| {
        let seen = (case.run)(&mut own)?;
        own.validate().map(|()| seen)
    });
    if let Err(HarnessError::Interrupted) = outcome {
        return Err(HarnessError::Interrupted);
    }
    if outcome.is_ok() {
        *stage = Some(own);
    } else {
        save::explain(own.cluster(), &plan.save, &case.name().replace('/', "-"));
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests;
