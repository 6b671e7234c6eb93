//! Runs scenarios one after another, reports each result, and sums up. Independent of the cluster manager.

use std::process::ExitCode;
use std::time::Instant;

use crate::chronicle::Chronicle;
use crate::error::{HarnessError, Result};
use crate::machines::Machines;
use crate::report;
use crate::story::Story;
use crate::wait::now;

/// How a scenario ended.
#[derive(Debug)]
pub struct ScenarioResult {
    name: &'static str,
    /// What was wrong; `None` if all checks held.
    failed: Option<String>,
}

/// What scenarios are played on: nodes with a cluster manager.
pub trait TestBed {
    /// What a scenario begins with.
    type Beginning: Copy;

    /// Brings everything into the state that a scenario begins with.
    ///
    /// # Errors
    /// When it cannot be reached.
    fn prepare(&mut self, start: Self::Beginning) -> Result<()>;

    /// Returns the nodes.
    fn machines(&self) -> &Machines;

    /// Tells what has happened.
    ///
    /// # Errors
    /// When a log cannot be read.
    fn tell(&mut self, story: &Story) -> Result<Chronicle>;
}

/// A test of everything together.
pub struct Scenario<S: TestBed> {
    /// What it is called on the command line.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// What it begins with.
    pub start: S::Beginning,
    /// Lets it happen and checks what follows; the story holds what was done until then.
    pub run: fn(&mut S, &mut Story) -> Result<()>,
}

impl<S: TestBed> Scenario<S> {
    fn run(&self, stage: &mut S, story: &mut Story) -> Result<()> {
        story.began = now();
        stage.prepare(self.start)?;
        story.began = now();
        (self.run)(stage, story)?;
        story.close();
        // What is asked of every scenario, whatever else it asks.
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

/// Plays scenarios and prints each as it ends. `stage_for` gets the stage of the one before, unless that failed, and returns the stage of
/// the next one; if `None`, that one counts as failed, because it is not reached. `explain` prints what explains why a scenario failed.
///
/// # Errors
/// When a stage cannot be set up, or on a signal. A scenario that fails is no error here.
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
        // Whatever a failed scenario left behind would fail the next one, too.
        stage = row.failed.is_none().then_some(next);
        rows.push(row);
    }
    Ok(rows)
}

/// Prints what failed and the sum, and returns the exit code that says whether all have passed.
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
