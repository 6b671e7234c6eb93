//! What is told of a scenario: its timeline, how long the address was away, and a row of the table.

use aws_sim::Service;
use cluster::chronicle::{Chronicle, Line, answers, holders, line, once, sent};
use cluster::timeline::{Marks, nobody, outage, unheld};
use cluster::topology::NodeName;
use cluster::wait::{Epoch, now};

use crate::pair::Pair;

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
    pub fn new() -> Self {
        Self { failure: now(), ..Self::default() }
    }

    /// Notes the failure, or the command, that the timeline counts from, and the node that has to have the address after it.
    pub fn failure(&mut self, at: Epoch, target: NodeName, what: impl Into<String>) {
        (self.failure, self.target, self.ended) = (at, Some(target), None);
        self.notes.push((at, what.into()));
    }

    /// Ends the time that is measured.
    pub fn close(&mut self) {
        self.ended = Some(now());
    }

    /// Tells what happened to the pair meanwhile.
    pub fn told(&self, pair: &Pair) -> Chronicle {
        let (from, to) = (self.failure, self.ended.unwrap_or_else(now));
        let world = pair.world();
        let history = world.history();
        let samples = pair.probe().since(from - 1.0);
        let requests = world.requests_since(from);
        let requests: Vec<_> = requests.iter().filter(|request| request.at <= to).collect();
        let notes = self.notes.iter().filter(|(at, _)| *at >= from && *at <= to);
        let mut lines: Vec<Line> = notes.map(|(at, what)| line(*at, ">>", what.as_str())).collect();
        lines.extend(requests.iter().filter_map(|request| sent(world.sender(request), request)));
        lines.extend(holders(&history, from, to));
        lines.extend(answers(&samples, from, to));
        lines.sort_by(|a, b| a.at.total_cmp(&b.at));
        let by_target = |node: Option<NodeName>| node.is_some() && node == self.target;
        let of_target = requests.iter().filter(|request| by_target(world.sender(request)));
        let moved = history.iter().find(|held| held.at >= from && by_target(held.by)).map(|held| held.at);
        let marks = Marks {
            failure: from,
            detected: None,
            start: of_target
                .clone()
                .find(|request| request.service == Service::Imds)
                .map(|request| request.at),
            associate: of_target
                .clone()
                .find(|request| request.is("AssociateAddress"))
                .map(|request| request.at),
            moved,
            answered: samples
                .iter()
                .find(|sample| moved.is_some_and(|at| sample.began >= at) && by_target(sample.answer))
                .map(|sample| sample.ended),
        };
        let calls = |service| requests.iter().filter(|request| request.service == service).count();
        Chronicle {
            marks,
            unheld: unheld(&history, pair.unusable(), from, to),
            nobody: nobody(&history, from, to),
            outage: outage(&samples, from, to),
            lines: once(lines),
            calls: (calls(Service::Ec2), calls(Service::Imds)),
        }
    }
}
