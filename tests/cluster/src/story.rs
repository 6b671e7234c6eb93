//! Progress messages of a scenario.

use crate::topology::NodeName;
use crate::wait::{Epoch, now};

/// What was done, when, and what was measured.
#[derive(Debug, Default, Clone)]
pub struct Story {
    /// When the scenario began.
    pub began: Epoch,
    failure: Option<Epoch>,
    ended: Option<Epoch>,
    /// The node that should have the address in the end.
    pub target: Option<NodeName>,
    notes: Vec<(Epoch, String)>,
    facts: Vec<String>,
}

impl Story {
    /// Notes the failure, or the command, from which the timeline counts.
    pub fn failure(&mut self, at: Epoch, what: impl Into<String>) {
        self.failure = Some(at);
        self.note_at(at, what);
    }

    /// Notes a deliberate action.
    pub fn note(&mut self, what: impl Into<String>) {
        self.note_at(now(), what);
    }

    /// Notes a deliberate action at a given time.
    pub fn note_at(&mut self, at: Epoch, what: impl Into<String>) {
        self.notes.push((at, what.into()));
    }

    /// Notes a measured fact, for the line below the timeline.
    pub fn fact(&mut self, what: impl Into<String>) {
        self.facts.push(what.into());
    }

    /// Ends the time that is measured; what follows is repair.
    pub fn close(&mut self) {
        self.ended.get_or_insert_with(now);
    }

    /// The measured time: from the failure, or the beginning, to the end, or now.
    pub fn window(&self) -> (Epoch, Epoch) {
        (self.failure.unwrap_or(self.began), self.ended.unwrap_or_else(now))
    }

    /// Deliberate actions, each with its time.
    pub fn notes(&self) -> &[(Epoch, String)] {
        &self.notes
    }

    /// Measured facts, for the line below the timeline.
    pub fn facts(&self) -> &[String] {
        &self.facts
    }
}
