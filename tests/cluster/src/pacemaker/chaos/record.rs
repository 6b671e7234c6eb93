//! Tells of the rounds: a line for each, the figures at the end, and both as a file. Pure but for that file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::failure::KINDS;
use super::plan::RoundPlan;
use super::round::{Course, RoundReport};
use super::struck::Struck;
use crate::error::{HarnessError, Result};
use crate::topology::name_of;

/// The rounds of one cluster.
#[derive(Debug)]
pub struct ChaosRecord {
    nodes: u8,
    seed: u64,
    rounds: Vec<RecordedRound>,
}

#[derive(Debug)]
struct RecordedRound {
    plan: RoundPlan,
    told: RoundReport,
    wrong: Option<String>,
}

impl ChaosRecord {
    /// Makes an empty record.
    pub fn new(nodes: u8, seed: u64) -> Self {
        Self { nodes, seed, rounds: Vec::new() }
    }

    /// Adds a round.
    pub fn add(&mut self, plan: RoundPlan, told: RoundReport, wrong: Option<String>) {
        self.rounds.push(RecordedRound { plan, told, wrong });
    }

    /// Returns the figures, as a table in Markdown.
    pub fn summary(&self) -> String {
        let told = || self.rounds.iter().map(|row| &row.told);
        let wrong = self.rounds.iter().filter(|row| row.wrong.is_some()).count();
        let stayed =
            |of: fn(&RoundReport) -> &Course| told().filter(|told| of(told).had_to_stay).count().to_string();
        let moves =
            |of: fn(&RoundReport) -> &Course| told().map(|told| of(told).moves).sum::<usize>().to_string();
        let unassigned =
            |of: fn(&RoundReport) -> &Course| spread(told().map(|told| of(told).unassigned.total));
        let agents: usize = told().map(|told| told.agents).sum();
        let orders: usize = told().map(|told| told.orders).sum();
        let cleaned: usize = told().map(|told| told.cleaned.len()).sum();
        let outages = |of: fn(&RoundReport) -> &Course, stayed: bool| {
            let of_those = told().map(of).filter(|course| course.had_to_stay == stayed);
            spread(of_those.map(|course| course.outage.longest))
        };
        let killed: usize = told().flat_map(|told| &told.struck).filter_map(|struck| struck.killed).sum();
        let rows = [
            ("rounds".to_owned(), self.rounds.len().to_string()),
            ("wrong states".into(), wrong.to_string()),
            ("rounds in which the elastic IP had to stay".into(), stayed(|told| &told.elastic)),
            ("times it came to another node".into(), moves(|told| &told.elastic)),
            ("rounds in which the private address had to stay".into(), stayed(|told| &told.private)),
            ("times that came to another node".into(), moves(|told| &told.private)),
            ("rounds in which the overlay address had to stay".into(), stayed(|told| &told.overlay)),
            ("times that came to another node, in all route tables".into(), moves(|told| &told.overlay)),
            ("actions in the logs".into(), counted(told().flat_map(|told| told.actions.iter()))),
            ("agents, recurring monitors too".into(), agents.to_string()),
            ("agents killed while they worked".into(), killed.to_string()),
            ("mutating calls to EC2".into(), orders.to_string()),
            ("failed actions cleaned up, each explained".into(), cleaned.to_string()),
            (
                "longest outage of a client of the elastic IP in a round".into(),
                outages(|told| &told.elastic, false),
            ),
            ("the same where it had to stay".into(), outages(|told| &told.elastic, true)),
            (
                "longest outage of a client of the overlay address".into(),
                outages(|told| &told.overlay, false),
            ),
            ("the same where it had to stay".into(), outages(|told| &told.overlay, true)),
            ("the elastic IP with no holder, in all, in a round".into(), unassigned(|told| &told.elastic)),
            ("the private address with no holder, the same".into(), unassigned(|told| &told.private)),
            ("route tables that lead to different nodes, the same".into(), unassigned(|told| &told.overlay)),
            ("from the last repair to the quiet point".into(), spread(told().map(|told| told.to_quiet))),
            ("a round".into(), spread(told().map(|told| told.took))),
        ];
        let mut text = format!("\n| {} nodes, seed {} | |\n| --- | --- |\n", self.nodes, self.seed);
        for (what, figure) in rows {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {what} | {figure} |");
        }
        let _ = writeln!(text, "| failures | {} |", self.failures());
        text
    }

    fn failures(&self) -> String {
        let count = |kind: usize| {
            let all = self.rounds.iter().flat_map(|row| &row.told.struck);
            all.filter(|struck| struck.failure.kind() == kind).count()
        };
        let list = KINDS.iter().enumerate().map(|(kind, name)| (name, count(kind)));
        let happened: Vec<_> =
            list.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name} {count}")).collect();
        happened.join(", ")
    }

    fn table(&self) -> String {
        let mut text =
            "\n| round | failures | eip | vip | overlay | outages | to quiet | |\n| ---: | --- | --- | --- | --- | ---: | ---: | --- |\n"
                .to_owned();
        for RecordedRound { plan, told, wrong } in &self.rounds {
            let (number, quiet) = (plan.round, told.to_quiet);
            let verdict = wrong.as_ref().map_or_else(|| "ok".to_owned(), |why| format!("WRONG: {why}"));
            let _ = writeln!(
                text,
                "| {number} | {plan} | {} | {} | {} | {:.1} s, {:.1} s | {quiet:.1} s | {verdict} |",
                course(&told.elastic),
                course(&told.private),
                course(&told.overlay),
                told.elastic.outage.longest,
                told.overlay.outage.longest
            );
        }
        text
    }
}

/// Returns the line of a round, and the lines below it.
pub fn line(plan: &RoundPlan, nodes: u8, told: &RoundReport, wrong: Option<&str>) -> String {
    let verdict = if wrong.is_some() { "WRONG" } else { "ok" };
    let mut text = format!("{verdict:<5} {nodes} nodes, round {}: {plan}\n", plan.round);
    let _ = writeln!(
        text,
        "        eip {}, without answer {:.1} s, no holder {:.1} s; vip {}; overlay {}, without answer {:.1} s; quiet after {:.1} s; {}; {:.0} s",
        course(&told.elastic),
        told.elastic.outage.longest,
        told.elastic.unassigned.total,
        course(&told.private),
        course(&told.overlay),
        told.overlay.outage.longest,
        told.to_quiet,
        counted(told.actions.iter()),
        told.took,
    );
    for Struck { failure, note, killed, .. } in &told.struck {
        if let Some(killed) = killed {
            let _ = writeln!(text, "        = {failure}: {killed} killed");
        }
        if let Some(note) = note {
            let _ = writeln!(text, "        = {failure}: {note}");
        }
    }
    for failed in &told.cleaned {
        let _ = writeln!(text, "        = cleaned up: {failed}");
    }
    if let Some(why) = wrong {
        let _ = writeln!(text, "        ! {why}");
    }
    text
}

/// Writes the records into one file.
pub fn write(path: &Path, records: &[ChaosRecord]) -> Result<()> {
    let parts = records.iter().map(|record| record.summary() + &record.table());
    let text = format!("# Chaos\n{}", parts.collect::<String>());
    fs::write(path, text).map_err(HarnessError::io(format_args!("writing {}", path.display())))
}

fn course(course: &Course) -> String {
    let holders = match course.holders {
        (before, after) if before == after => format!("{} keeps it", name_of(before)),
        (before, after) => format!("{} to {}", name_of(before), name_of(after)),
    };
    let stay = if course.had_to_stay { ", had to stay" } else { "" };
    format!("{holders}{stay}, {} moves", course.moves)
}

fn counted<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for name in names {
        *counts.entry(if name == "monitor" { "probe" } else { name }).or_default() += 1;
    }
    let list: Vec<_> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if list.is_empty() { "no actions".to_owned() } else { list.join(", ") }
}

/// Returns the least, the middle and the greatest of some seconds.
fn spread(seconds: impl Iterator<Item = f64>) -> String {
    let mut sorted: Vec<f64> = seconds.collect();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(least), Some(middle), Some(most)) => format!("{least:.1} to {most:.1} s, median {middle:.1} s"),
        _ => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests;
