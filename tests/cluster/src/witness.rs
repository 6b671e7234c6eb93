//! A scenario on nodes without Pacemaker, told by what the simulator and the client saw.

use aws_sim::Service;

use crate::chronicle::{Chronicle, Line, answers, holders, line, once, sent};
use crate::probe::Probe;
use crate::timeline::{Marks, Unusable, nobody, outage, unheld};
use crate::topology::NodeName;
use crate::wait::{Epoch, now};
use crate::world::World;

/// A scenario while it happens.
#[derive(Debug, Default)]
pub struct Story {
    failure: Epoch,
    ended: Option<Epoch>,
    target: Option<NodeName>,
    notes: Vec<(Epoch, String)>,
}

impl Story {
    /// Returns a story that begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { failure: now(), ..Self::default() }
    }

    /// Notes the failure, or the command, that the timeline counts from, and the node that has to have the address after it.
    pub fn failure(&mut self, at: Epoch, target: NodeName, what: impl Into<String>) {
        (self.failure, self.target, self.ended) = (at, Some(target), None);
        self.note(at, what);
    }

    /// Notes something else that the scenario does.
    pub fn note(&mut self, at: Epoch, what: impl Into<String>) {
        self.notes.push((at, what.into()));
    }

    /// Ends the time that is measured.
    pub fn close(&mut self) {
        self.ended = Some(now());
    }

    /// Tells what happened meanwhile.
    #[must_use]
    pub fn told(&self, world: &World, probe: &Probe, broken: &[Unusable]) -> Chronicle {
        let (from, to) = (self.failure, self.ended.unwrap_or_else(now));
        let history = world.history();
        let samples = probe.since(from - 1.0);
        let requests = world.requests_since(from);
        let requests: Vec<_> = requests.iter().filter(|request| request.at <= to).collect();
        let notes = self.notes.iter().filter(|(at, _)| *at >= from && *at <= to);
        let mut lines: Vec<Line> = notes.map(|(at, what)| line(*at, ">>", what.as_str())).collect();
        lines.extend(requests.iter().filter_map(|request| sent(world.sender(request), request)));
        lines.extend(holders(&history, from, to));
        lines.extend(answers(&samples, from, to));
        lines.sort_by(|a, b| a.at.total_cmp(&b.at));
        let by_target = |node: Option<NodeName>| node.is_some() && node == self.target;
        // Of several moves the last one counts: it put the address where it stayed.
        let moved = history.iter().rfind(|held| held.at >= from && by_target(held.by)).map(|held| held.at);
        let before = |at: &Epoch| *at <= moved.unwrap_or(to);
        let orders = requests.iter().filter(|request| request.is("AssociateAddress"));
        let mut orders = orders.filter(|request| by_target(world.sender(request))).map(|request| request.at);
        let marks = Marks {
            failure: from,
            detected: None,
            start: None,
            associate: orders.rfind(before),
            moved,
            answered: samples
                .iter()
                .find(|sample| moved.is_some_and(|at| sample.began >= at) && by_target(sample.answer))
                .map(|sample| sample.ended),
        };
        let calls = |service| requests.iter().filter(|request| request.service == service).count();
        Chronicle {
            marks,
            unheld: unheld(&history, broken, from, to),
            nobody: nobody(&history, from, to),
            outage: outage(&samples, from, to),
            lines: once(lines),
            calls: (calls(Service::Ec2), calls(Service::Imds)),
        }
    }
}
