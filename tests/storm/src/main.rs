//! `storm`: runs the storms, prints a table of the results, and fails if the agent misses the goal.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use storm::clusters::{Storm, StormKind};
use storm::figures::{Figures, GOAL, HEAD, bound};
use storm::policy::RetryPolicy;
use storm::processes;

/// Size of the storm of processes, which is played on virtual time too.
const SMALL: usize = 300;
/// Pacemaker's default timeout, the one that the agent's meta-data advises, and one and a half times that.
const USUAL: [Duration; 3] = [Duration::from_secs(20), Duration::from_mins(1), Duration::from_secs(90)];

/// Plays storms: very many clusters of one account that take over at once, under AWS's token buckets.
#[derive(Debug, Parser)]
struct StormOptions {
    /// Number of clusters in one process, on virtual time; 0 omits that part.
    #[arg(long, default_value_t = 10_000)]
    clusters: usize,
    /// Number of clusters that are processes of the built agent; 0 omits that part.
    #[arg(long, default_value_t = SMALL)]
    processes: usize,
    /// Random seed for times and pauses on virtual time. By default a new one for each run; it is printed.
    #[arg(long)]
    seed: Option<u64>,
    /// File to write the table to.
    #[arg(long, default_value = "storm.md")]
    table: PathBuf,
}

/// The rows so far, and the missed parts of the goal.
#[derive(Debug, Default)]
struct StormReport {
    text: String,
    missed: Vec<String>,
}

impl StormReport {
    /// Prints a text, and keeps it for the file.
    fn say(&mut self, text: &str) {
        print!("{text}");
        self.text.push_str(text);
    }

    /// Adds a row. A naive policy is expected to miss the goal.
    fn row(&mut self, figures: &Figures, ours: bool) {
        self.say(&figures.row());
        if let Some(missed) = figures.missed().filter(|_| ours) {
            self.missed.push(format!("{}, {} s: {missed}", figures.what, figures.timeout.as_secs()));
        }
    }
}

fn main() -> ExitCode {
    let options = StormOptions::parse();
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let began = Instant::now();
    let mut report = StormReport::default();
    if options.processes > 0 {
        report.say(&format!("{} processes of the built agent\n\n{HEAD}", options.processes));
        // These take real time: the two most common timeouts, and an ample one.
        for timeout in USUAL.into_iter().take(2).chain([ample(StormKind::Elastic, options.processes)]) {
            report.row(&processes::play(options.processes, timeout), true);
        }
    }
    for clusters in [SMALL, options.clusters].into_iter().filter(|_| options.clusters > 0) {
        report.say(&format!("\n{clusters} clusters on virtual time, SEED={seed}\n\n{HEAD}"));
        for kind in StormKind::ALL {
            for timeout in timeouts(kind, clusters) {
                let storm = Storm { kind, clusters, timeout, policy: RetryPolicy::Ours, seed };
                report.row(&storm.play(), true);
            }
        }
        let naive = [RetryPolicy::Fixed(Duration::from_secs(1)), RetryPolicy::Fixed(Duration::from_secs(5))];
        for policy in naive.into_iter().chain([RetryPolicy::Sdk, RetryPolicy::Once]) {
            for timeout in [Duration::from_mins(1), ample(StormKind::Elastic, clusters)] {
                report
                    .row(&Storm { kind: StormKind::Elastic, clusters, timeout, policy, seed }.play(), false);
            }
        }
    }
    let verdict = match report.missed.as_slice() {
        [] => format!(
            "the goal is met: none failed for want of patience, none came later than {GOAL} times the bound"
        ),
        missed => format!("the goal is missed:\n{}", missed.join("\n")),
    };
    let _ = writeln!(report.text, "\n{verdict}");
    println!("\n{verdict}\n{:.0} s; the table is {}", began.elapsed().as_secs_f64(), options.table.display());
    if let Err(error) = std::fs::write(&options.table, &report.text) {
        eprintln!("storm: {}: {error}", options.table.display());
        return ExitCode::FAILURE;
    }
    if report.missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The timeouts to try: the usual ones, one that just allows all takeovers, and an ample one.
fn timeouts(kind: StormKind, clusters: usize) -> Vec<Duration> {
    let just = Duration::from_secs(bound(kind.rate(), clusters).mul_f64(1.25).as_secs() + 2);
    let mut all: Vec<_> = USUAL.into_iter().chain([just, ample(kind, clusters)]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A timeout that allows much more than all takeovers: an hour for ten thousand.
fn ample(kind: StormKind, clusters: usize) -> Duration {
    Duration::from_secs(bound(kind.rate(), clusters).mul_f64(1.8).as_secs().div_ceil(300) * 300)
}
