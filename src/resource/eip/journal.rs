//! What is told and kept of every change of holder: one line at info, and one entry in the history.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use super::{Eip, World};
use crate::base::ids::AssociationId;
use crate::host::Host as _;
use crate::resource::millis;
use crate::state::{Change, Records as _};

/// A change of holder that this node made.
pub(super) struct Made<'a> {
    /// The action that made it.
    pub action: &'a str,
    /// Who held the address before.
    pub from: String,
    /// Who holds it now.
    pub to: String,
    /// The association that was made or ended.
    pub association: Option<AssociationId>,
    /// How long each part of it took.
    pub phases: Vec<(&'static str, Duration)>,
}

impl<W: World> Eip<'_, W> {
    /// Logs a change of holder and keeps it in the history.
    pub(super) fn made(&self, made: Made<'_>) {
        let mut line =
            format!("{} moved from {} to {}; reason {}", self.name(), made.from, made.to, made.action);
        if let Some(id) = &made.association {
            let _ = write!(line, "; {id}");
        }
        for (phase, took) in &made.phases {
            let _ = write!(line, "; {phase} {} ms", took.as_millis());
        }
        self.world.log().info(&line);
        let at = self.world.host().now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut durable = self.world.records().durable();
        durable.remember(Change {
            at_ms: millis(at),
            action: made.action.to_owned(),
            from: made.from,
            to: made.to,
            association: made.association,
            took_ms: millis(self.deadline.elapsed()),
        });
        self.world.records().set_durable(&durable);
    }
}
