//! Runs the rounds, one cluster for each number of nodes, until one fails.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, value_parser};

use super::failure::KINDS;
use super::plan::RoundPlan;
use super::record::{self, ChaosRecord};
use super::round::{self, RoundReport};
use super::struck::Struck;
use crate::error::{HarnessError, Result};
use crate::pacemaker::scenario::{RETURN_LIMIT, TAKEOVER_LIMIT};
use crate::pacemaker::{ClusterOptions, OVERLAY_BESIDE, PRIVATE, PacemakerCluster, save, token};
use crate::story::Story;
use crate::suite::TestBed as _;
use crate::topology::Layout;
use crate::{built, report};

/// Command line of `cluster chaos`.
#[derive(Debug, Args)]
pub struct ChaosRun {
    /// Number of rounds, for each number of nodes.
    #[arg(long, value_name = "N", default_value = "30", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub rounds: u32,
    /// Number of the first round: 7 plays what would be the seventh.
    #[arg(long, value_name = "ROUND", default_value = "1", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub first: u32,
    /// Random seed; the same seed gives the same rounds [default: a new one each time].
    #[arg(long, default_value_t = fastrand::u64(..1 << 32), hide_default_value = true)]
    pub seed: u64,
    /// The failure that each round begins with [default: all kinds in turn].
    #[arg(long, value_name = "FAILURE", value_parser = kinds())]
    pub kind: Option<usize>,
    /// Number of nodes: 2 or 3, or both, one after the other.
    #[arg(long, value_name = "N,N", default_value = "2,3", value_delimiter = ',', value_parser = value_parser!(u8).range(2..=3))]
    pub nodes: Vec<u8>,
    /// The agent under test [default: `EIP_BIN`, or else what make agent built].
    #[arg(long, value_name = "PATH", default_value_os_t = built::agent(), hide_default_value = true)]
    pub agent: PathBuf,
    /// Corosync's token timeout; a busy machine needs 2000.
    #[arg(long, value_name = "MS", default_value = "1000", value_parser = token())]
    pub token: Duration,
    /// Folder for the logs of a failed round [default: cluster-logs in the target folder].
    #[arg(long, value_name = "DIR", default_value_os_t = built::logs(), hide_default_value = true)]
    pub save: PathBuf,
}

fn kinds() -> impl TypedValueParser<Value = usize> {
    let names = PossibleValuesParser::new(KINDS);
    names.try_map(|name| KINDS.iter().position(|kind| *kind == name).ok_or("no such failure"))
}

/// Runs the rounds, prints each as it ends and the figures at the end. The exit code is 0 if no round failed.
pub fn run(request: &ChaosRun) -> Result<ExitCode> {
    println!("chaos: seed {}, {} rounds each with {:?} nodes", request.seed, request.rounds, request.nodes);
    for &nodes in &request.nodes {
        if !with(request, nodes)? {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn with(request: &ChaosRun, nodes: u8) -> Result<bool> {
    let began = Instant::now();
    let mut cluster = PacemakerCluster::up(&ClusterOptions {
        agent: request.agent.clone(),
        nodes,
        token: request.token,
        layout: Layout::EveryKind,
    })?;
    cluster.create_resource()?;
    cluster.create_beside(&PRIVATE)?;
    cluster.create_beside(&OVERLAY_BESIDE)?;
    cluster.settle(None, TAKEOVER_LIMIT)?;
    println!("{nodes} nodes, each address on one of them, after {:.1} s", began.elapsed().as_secs_f64());
    let (mut live, mut deep) = (false, false);
    let mut passed = true;
    let mut record = ChaosRecord::new(nodes, request.seed);
    for number in request.first..request.first.saturating_add(request.rounds) {
        let plan = RoundPlan::of(request.seed, nodes, number, request.kind);
        let mut told = RoundReport::default();
        let outcome = prepare(&mut cluster, &plan, &mut live, &mut deep)
            .and_then(|()| round::play(&mut cluster, &plan, nodes, &mut told));
        if let Err(HarnessError::Interrupted) = outcome {
            return Err(HarnessError::Interrupted);
        }
        let wrong = outcome.err().map(|error| error.to_string());
        passed = wrong.is_none();
        print!("{}", record::line(&plan, nodes, &told, wrong.as_deref()));
        if !passed {
            print!("{}", report::timeline(&cluster.tell(&story(&plan, &told))?));
        }
        record.add(told, wrong.is_some());
        if !passed {
            explain(request, &cluster, nodes, number);
            break;
        }
    }
    print!("{}", record.summary());
    println!("in {:.0} s", began.elapsed().as_secs_f64());
    Ok(passed)
}

/// Configures what the plan needs before its round.
fn prepare(cluster: &mut PacemakerCluster, plan: &RoundPlan, live: &mut bool, deep: &mut bool) -> Result<()> {
    if plan.live != *live {
        cluster.set_meta("allow-migrate", if plan.live { "true" } else { "" })?;
        *live = plan.live;
    }
    if plan.deep != *deep {
        cluster.set_deep_monitor(plan.deep)?;
        *deep = plan.deep;
    }
    cluster.settle(None, RETURN_LIMIT).map(drop)
}

fn story(plan: &RoundPlan, told: &RoundReport) -> Story {
    let mut story = Story::default();
    story.failure(told.began, format!("round {}", plan.round));
    for Struck { failure, node, from, to, .. } in &told.struck {
        let whom = node.map_or_else(|| "all".to_owned(), |node| node.to_string());
        story.note_at(*from, format!("{whom}: {failure}"));
        if let Some(to) = to {
            story.note_at(*to, format!("{whom}: {failure}: over"));
        }
    }
    story
}

/// Prints what helps to find the cause.
fn explain(request: &ChaosRun, cluster: &PacemakerCluster, nodes: u8, round: u32) {
    save::explain(cluster, &request.save, &format!("chaos-{nodes}-{}-{round}", request.seed));
    let kind = request.kind.and_then(|kind| KINDS.get(kind));
    let kind = kind.map_or_else(String::new, |kind| format!(" --kind '{kind}'"));
    let seed = request.seed;
    println!(
        "--- this round again: cluster chaos --seed {seed} --nodes {nodes} --first {round} --rounds 1{kind}"
    );
}
