//! Scenarios on a pair of nodes without Pacemaker: played one after the other, and told.

use std::ops::DerefMut;
use std::process::ExitCode;
use std::time::Instant;

use crate::error::{Error, Result};
use crate::node::Node;
use crate::pair::Machines;
use crate::report::{self, Row};
use crate::topology::NodeName;
use crate::wait::now;
use crate::witness::Story;

/// A test of the whole pair. Those of one group share a pair and are run in order.
pub struct Scenario<P> {
    /// What it is called in the table.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// Lets it happen and checks what follows; the story holds what was done until then.
    pub run: fn(&mut P, &mut Story) -> Result<()>,
}

impl<P: DerefMut<Target = Machines>> Scenario<P> {
    fn play(&self, pair: &mut P, story: &mut Story) -> Result<()> {
        let began = now();
        (self.run)(pair, story)?;
        story.close();
        // What is asked of every scenario, whatever else it asks.
        pair.ensure_no_theft(began)
    }
}

/// Plays scenarios on one pair and prints each as it ends, up to the first that fails: the others would begin where it has not arrived,
/// and count as failed. Of the node's `logs`, the end is printed then.
///
/// # Errors
/// On a signal. A scenario that fails is no error here.
pub fn play_all<P: DerefMut<Target = Machines>>(
    pair: &mut P,
    scenarios: &[Scenario<P>],
    logs: &[&str],
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for scenario in scenarios {
        let mut story = Story::new();
        let failed = match scenario.play(pair, &mut story) {
            Ok(()) => None,
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => Some(error.to_string()),
        };
        let told = pair.told(&story);
        let verdict = if failed.is_none() { "ok" } else { "FAILED" };
        println!("\n{verdict:<6} {}: {}", scenario.name, scenario.about);
        if let Some(why) = &failed {
            println!("         ! {why}");
        }
        print!("{}", report::timeline(&told));
        let ends = failed.is_some();
        rows.push(Row { name: scenario.name, failed, chronicle: Some(told) });
        if ends {
            print_logs(pair, logs);
            break;
        }
    }
    let played = rows.len();
    let not_played = |scenario: &Scenario<P>| Row {
        name: scenario.name,
        failed: Some("not reached".to_owned()),
        chronicle: None,
    };
    rows.extend(scenarios.iter().skip(played).map(not_played));
    Ok(rows)
}

/// Prints the end of what each node has said.
fn print_logs(pair: &Machines, logs: &[&str]) {
    const LINES: usize = 60;
    for node in NodeName::first(2) {
        let Ok(folder) = pair.node(node).map(Node::logs) else { continue };
        for file in logs {
            let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            println!("--- {node}: {file}");
            for line in lines.iter().skip(lines.len().saturating_sub(LINES)) {
                println!("{line}");
            }
        }
    }
}

/// Prints the table and the sum, and returns the exit code that says whether all have passed.
#[must_use]
pub fn sum_up(rows: &[Row], began: Instant) -> ExitCode {
    print!("{}", report::table(rows));
    let passed = rows.iter().filter(|row| row.failed.is_none()).count();
    let failed = rows.len() - passed;
    println!("\n{passed} passed, {failed} failed in {:.0} s", began.elapsed().as_secs_f64());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
