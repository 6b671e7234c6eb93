//! Progress messages of a scenario.

use crate::topology::NodeName;
use crate::wait::{Epoch, now};

/// What was done, when, and what was found out.
#[derive(Debug, Default, Clone)]
pub struct Story {
    /// When the scenario began.
    pub began: Epoch,
    failure: Option<Epoch>,
    ended: Option<Epoch>,
    /// The node that the address should be on in the end.
    pub target: Option<NodeName>,
    notes: Vec<(Epoch, String)>,
    facts: Vec<String>,
}

impl Story {
    /// Notes the failure, or the command, that the timeline counts from.
    pub fn failure(&mut self, at: Epoch, what: impl Into<String>) {
        self.failure = Some(at);
        self.note_at(at, what);
    }

    /// Notes something done on purpose.
    pub fn note(&mut self, what: impl Into<String>) {
        self.note_at(now(), what);
    }

    /// Notes something done on purpose at a given time.
    pub fn note_at(&mut self, at: Epoch, what: impl Into<String>) {
        self.notes.push((at, what.into()));
    }

    /// Notes something found out, for the line below the timeline.
    pub fn fact(&mut self, what: impl Into<String>) {
        self.facts.push(what.into());
    }

    /// Ends the time that is measured; what follows is repair.
    pub fn close(&mut self) {
        self.ended.get_or_insert_with(now);
    }

    /// Returns the measured time: from the failure, or the beginning, to the end, or now.
    pub fn window(&self) -> (Epoch, Epoch) {
        (self.failure.unwrap_or(self.began), self.ended.unwrap_or_else(now))
    }

    /// Returns what was done on purpose.
    pub fn notes(&self) -> &[(Epoch, String)] {
        &self.notes
    }

    /// Returns what was found out.
    pub fn facts(&self) -> &[String] {
        &self.facts
    }
}
