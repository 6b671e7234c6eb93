//! Brings a plan's failures about and undoes them, each at its time.

use std::time::{Duration, Instant};

use super::plan::RoundPlan;
use super::strike::begin;
use super::struck::Struck;
use super::undo::Undo;
use crate::error::Result;
use crate::pacemaker::PacemakerCluster;
use crate::topology::NodeName;
use crate::wait::{let_run, now};

/// Plays a plan to its end, with `holder` in the role of the holder, and returns what was done. Everything is undone again, but nodes need
/// not be members yet.
pub fn play(cluster: &mut PacemakerCluster, plan: &RoundPlan, holder: NodeName) -> Result<Vec<Struck>> {
    let began = Instant::now();
    let mut done: Vec<Struck> = Vec::new();
    let mut in_force: Vec<(Duration, usize, Undo)> = Vec::new();
    let mut again: Vec<Vec<String>> = Vec::new();
    let mut strikes = plan.strikes.iter().peekable();
    loop {
        in_force.sort_by_key(|(end, ..)| *end);
        let next_end = in_force.first().map(|(end, ..)| *end);
        let next_begin = strikes.peek().map(|strike| strike.at);
        let Some(next) = [next_begin, next_end].into_iter().flatten().min() else { break };
        let_run(next.saturating_sub(began.elapsed()))?;
        if next_begin == Some(next)
            && let Some(strike) = strikes.next()
        {
            let (struck, undo) = begin(cluster, strike, holder)?;
            in_force.push((strike.at + strike.lasts, done.len(), undo));
            done.push(struck);
        } else {
            let (_, number, undo) = in_force.remove(0);
            if let Some(struck) = done.get_mut(number) {
                again.extend(undo.carry_out(cluster, struck)?);
                struck.to = Some(now());
            }
        }
    }
    // When all nodes are back.
    for words in again {
        cluster.insist(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    Ok(done)
}
