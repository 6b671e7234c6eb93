//! Reports the rounds: a line for each, and the figures at the end. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::plan::RoundPlan;
use super::round::{Course, RoundReport};
use super::struck::Struck;
use crate::pacemaker::{ELASTIC, OVERLAY_BESIDE, PRIVATE};
use crate::topology::name_of;

#[derive(Debug)]
pub struct ChaosRecord {
    nodes: u8,
    seed: u64,
    rounds: Vec<RoundReport>,
    wrong: usize,
}

impl ChaosRecord {
    pub fn new(nodes: u8, seed: u64) -> Self {
        Self { nodes, seed, rounds: Vec::new(), wrong: 0 }
    }

    pub fn add(&mut self, told: RoundReport, is_wrong: bool) {
        self.rounds.push(told);
        self.wrong += usize::from(is_wrong);
    }

    /// The figures, as a Markdown table.
    pub fn summary(&self) -> String {
        let told = || self.rounds.iter();
        let sum = |of: fn(&RoundReport) -> usize| told().map(of).sum::<usize>().to_string();
        let struck = || told().flat_map(|told| &told.struck);
        let killed: usize = struck().filter_map(|struck| struck.killed).sum();
        let mut rows = vec![
            ("rounds".to_owned(), self.rounds.len().to_string()),
            ("wrong states".into(), self.wrong.to_string()),
            ("failures".into(), counted(struck().map(|struck| struck.failure.name()))),
            (
                "actions in the logs".into(),
                counted(told().flat_map(|told| &told.actions).map(String::as_str)),
            ),
            ("agents, recurring monitors too".into(), sum(|told| told.agents)),
            ("agents killed while they worked".into(), killed.to_string()),
            ("mutating calls to EC2".into(), sum(|told| told.orders)),
            ("failed actions cleaned up, each explained".into(), sum(|told| told.cleaned.len())),
            ("from the last repair to the quiet point".into(), spread(told().map(|told| told.to_quiet))),
            ("a round".into(), spread(told().map(|told| told.took))),
        ];
        for address in [&ELASTIC, &PRIVATE, &OVERLAY_BESIDE] {
            let own = |course: &&Course| course.address == address;
            let courses = || told().flat_map(|told| &told.courses).filter(own);
            let outage = |stayed: bool| {
                spread(courses().filter(|one| one.had_to_stay == stayed).map(|one| one.outage.longest))
            };
            let figures = [
                (
                    "rounds in which it had to stay",
                    courses().filter(|one| one.had_to_stay).count().to_string(),
                ),
                ("times it came to another node", courses().map(|one| one.moves).sum::<usize>().to_string()),
                ("longest outage of a client in a round", outage(false)),
                ("the same where it had to stay", outage(true)),
                ("with no holder, in all, in a round", spread(courses().map(|one| one.unassigned.total))),
            ];
            let named = |(what, figure)| (format!("{}: {what}", address.resource), figure);
            rows.extend(figures.map(named));
        }
        let mut text = format!("\n| {} nodes, seed {} | |\n| --- | --- |\n", self.nodes, self.seed);
        for (what, figure) in rows {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "| {what} | {figure} |");
        }
        text
    }
}

/// The line of a round, and the details below it.
pub fn line(plan: &RoundPlan, nodes: u8, told: &RoundReport, wrong: Option<&str>) -> String {
    let verdict = if wrong.is_some() { "WRONG" } else { "ok" };
    let mut text = format!("{verdict:<5} {nodes} nodes, round {}: {plan}\n", plan.round);
    for Course { address, holders: (before, after), had_to_stay, moves, unassigned, outage } in &told.courses
    {
        let stay = if *had_to_stay { ", had to stay" } else { "" };
        let _ = writeln!(
            text,
            "        {}: {} to {}{stay}, {moves} moves, without answer {:.1} s, no holder {:.1} s",
            address.resource,
            name_of(*before),
            name_of(*after),
            outage.longest,
            unassigned.total,
        );
    }
    let actions = counted(told.actions.iter().map(String::as_str));
    let _ = writeln!(text, "        quiet after {:.1} s; {actions}; {:.0} s", told.to_quiet, told.took);
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

fn counted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let list: Vec<_> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    if list.is_empty() { "no actions".to_owned() } else { list.join(", ") }
}

/// Minimum, median and maximum, in seconds.
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
