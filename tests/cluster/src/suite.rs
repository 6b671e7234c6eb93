//! Runs scenarios one after another, reports each result, and summarises. Independent of the cluster manager.

use std::process::ExitCode;
use std::time::Instant;

use crate::chronicle::Chronicle;
use crate::error::{HarnessError, Result};
use crate::machines::Machines;
use crate::report;
use crate::story::Story;
use crate::wait::now;

/// Result of a scenario.
#[derive(Debug)]
pub struct ScenarioResult {
    name: &'static str,
    /// What was wrong; `None` if all checks held.
    failed: Option<String>,
}

/// What scenarios are played on: nodes with a cluster manager.
pub trait TestBed {
    /// Initial state of a scenario.
    type Beginning: Copy;

    /// Brings everything into a scenario's initial state.
    ///
    /// # Errors
    /// If it cannot be reached.
    fn prepare(&mut self, start: Self::Beginning) -> Result<()>;

    /// The nodes, for any cluster manager.
    fn machines(&self) -> &Machines;

    /// Collects what has happened.
    ///
    /// # Errors
    /// If a log cannot be read.
    fn tell(&mut self, story: &Story) -> Result<Chronicle>;
}

/// A test of everything together.
pub struct Scenario<S: TestBed> {
    /// Name on the command line.
    pub name: &'static str,
    /// One-line description.
    pub about: &'static str,
    /// Initial state.
    pub start: S::Beginning,
    /// Causes the event and checks what follows; the story has what was done until then.
    pub run: fn(&mut S, &mut Story) -> Result<()>,
}

impl<S: TestBed> Scenario<S> {
    fn run(&self, stage: &mut S, story: &mut Story) -> Result<()> {
        story.began = now();
        stage.prepare(self.start)?;
        story.began = now();
        (self.run)(stage, story)?;
        story.close();
        // Required of every scenario, in addition to its own checks.
        stage.machines().ensure_no_theft(story.began)
    }

    fn play(&self, stage: &mut S, explain: impl Fn(&S, &str)) -> Result<ScenarioResult> {
        let mut story = Story::default();
        let outcome = self.run(stage, &mut story);
        if let Err(HarnessError::Interrupted) = outcome {
            return Err(HarnessError::Interrupted);
        }
        let told = stage.tell(&story)?;
        print!("{}", report::scenario(self.name, self.about, outcome.as_ref().err(), &story, &told));
        if outcome.is_err() {
            explain(stage, self.name);
        }
        Ok(ScenarioResult { name: self.name, failed: outcome.err().map(|error| error.to_string()) })
    }
}

/// Plays scenarios and prints each as it ends. `stage_for` gets the previous scenario's test bed, unless that scenario failed, and returns
/// the next one's; `None` means it was not reached, which counts as failed. `explain` prints what helps to explain a failure.
///
/// # Errors
/// If a test bed cannot be set up, or on a signal. A scenario that fails is no error here.
pub fn play<'a, S: TestBed + 'a>(
    scenarios: impl IntoIterator<Item = &'a Scenario<S>>,
    mut stage_for: impl FnMut(&Scenario<S>, Option<S>) -> Result<Option<S>>,
    explain: impl Fn(&S, &str),
) -> Result<Vec<ScenarioResult>> {
    let mut rows = Vec::new();
    let mut stage: Option<S> = None;
    for scenario in scenarios {
        let Some(mut next) = stage_for(scenario, stage.take())? else {
            rows.push(ScenarioResult { name: scenario.name, failed: Some("not reached".to_owned()) });
            continue;
        };
        let row = scenario.play(&mut next, &explain)?;
        // What a failed scenario left behind would make the next one fail, too.
        stage = row.failed.is_none().then_some(next);
        rows.push(row);
    }
    Ok(rows)
}

/// Prints what failed and the totals. The exit code is 0 if all have passed.
pub fn sum_up(rows: &[ScenarioResult], began: Instant) -> ExitCode {
    let mut failed = 0;
    for row in rows {
        if let Some(reason) = &row.failed {
            println!("FAILED {}: {reason}", row.name);
            failed += 1;
        }
    }
    let passed = rows.len() - failed;
    println!("\n{passed} passed, {failed} failed in {:.0} s", began.elapsed().as_secs_f64());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
