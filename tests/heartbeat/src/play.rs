//! Plays the scenarios of a group on a pair, and prints each as it ends.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use cluster::error::{Error, Result};
use cluster::interrupt;
use cluster::report::{self, Row};

use crate::checks::wrong;
use crate::pair::Pair;
use crate::scenario::{Scenario, article, quick, split};
use crate::setup::Setup;
use crate::story::Story;

/// Scenarios that are played on one pair, in order.
pub struct Group {
    /// What it is called.
    pub name: &'static str,
    setup: fn() -> Setup,
    scenarios: &'static [Scenario],
}

/// All groups.
pub const GROUPS: [Group; 3] = [
    Group { name: "quick", setup: Setup::quick, scenarios: quick::SCENARIOS },
    Group { name: "split", setup: Setup::quick, scenarios: split::SCENARIOS },
    Group { name: "article", setup: Setup::article, scenarios: article::SCENARIOS },
];

/// Plays all scenarios of a group.
///
/// # Errors
/// When there is no such group, its pair does not come up, or on a signal. A scenario that fails is no error here.
pub fn group(name: &str, packages: &Path) -> Result<ExitCode> {
    let group = GROUPS.into_iter().find(|group| group.name == name);
    let group = group.ok_or_else(|| wrong(format!("there is no group {name:?}")))?;
    interrupt::install().map_err(Error::io("installing signal handlers"))?;
    let began = Instant::now();
    let rows = play_all((group.setup)(), group.scenarios, packages)?;
    print!("{}", report::table(&rows));
    let passed = rows.iter().filter(|row| row.failed.is_none()).count();
    let failed = rows.len() - passed;
    println!("\n{passed} passed, {failed} failed in {:.0} s", began.elapsed().as_secs_f64());
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays scenarios on one pair, up to the first that fails: the others would begin where it has not arrived.
fn play_all(setup: Setup, scenarios: &[Scenario], packages: &Path) -> Result<Vec<Row>> {
    let mut pair = Pair::boot(setup, packages)?;
    let mut rows = Vec::new();
    for scenario in scenarios {
        let mut story = Story::new();
        let failed = match scenario.play(&mut pair, &mut story) {
            Ok(()) => None,
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => Some(error.to_string()),
        };
        let told = story.told(&pair);
        println!(
            "\n{:<6} {}: {}",
            if failed.is_none() { "ok" } else { "FAILED" },
            scenario.name,
            scenario.about
        );
        if let Some(why) = &failed {
            println!("         ! {why}");
        }
        print!("{}", report::timeline(&told));
        let ends = failed.is_some();
        rows.push(Row { name: scenario.name, failed, chronicle: Some(told) });
        if ends {
            print_logs(&pair);
            break;
        }
    }
    let played = rows.len();
    let not_played = |scenario: &Scenario| Row {
        name: scenario.name,
        failed: Some("not reached".to_owned()),
        chronicle: None,
    };
    rows.extend(scenarios.iter().skip(played).map(not_played));
    Ok(rows)
}

/// Prints the end of what each node has said.
fn print_logs(pair: &Pair) {
    const LINES: usize = 60;
    for node in cluster::topology::NodeName::first(2) {
        let Ok(folder) = pair.node(node).map(cluster::node::Node::logs) else { continue };
        for file in ["init.out", "heartbeat.out", "ha-log", "ha-debug"] {
            let text = std::fs::read_to_string(folder.join(file)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            println!("--- {node}: {file}");
            for line in lines.iter().skip(lines.len().saturating_sub(LINES)) {
                println!("{line}");
            }
        }
    }
}
