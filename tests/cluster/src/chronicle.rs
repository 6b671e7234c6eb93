//! Combines what logs, simulator and client recorded of a scenario into the marks, gaps and lines of a timeline.

use std::fmt::Display;

use aws_sim::{LoggedRequest, Service};

use crate::machines::Machines;
use crate::pacemaker::journal::{Event, EventKind};
use crate::pacemaker::{ADDRESSES, ManagedAddress, RESOURCE};
use crate::story::Story;
use crate::timeline::{Gap, HolderSince, Marks, Sample, spreads, unassigned, unheld};
use crate::topology::NodeName;
use crate::wait::Epoch;

/// What is known of a scenario when it ends.
#[derive(Debug, Clone, Default)]
pub struct Chronicle {
    /// Key times of the takeover.
    pub marks: Marks,
    /// How long the address was unassigned, or held only by a node that could not serve.
    pub unheld: Gap,
    /// How long the address was unassigned.
    pub unassigned: Gap,
    /// How long a client was without answers.
    pub outage: Gap,
    /// The longest time for which route tables led to different nodes before they agreed again; `None` if they always agreed, or there
    /// are none.
    /// there are none.
    pub spread: Option<f64>,
    /// In order of time.
    pub lines: Vec<TimelineEntry>,
    /// Number of calls to EC2 and to metadata services.
    pub calls: (usize, usize),
}

/// A line of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEntry {
    pub at: Epoch,
    /// Who acted or observed: a node, a client, EC2, ...
    pub who: String,
    /// What happened.
    pub what: String,
}

impl Chronicle {
    /// Builds the story of the scenario from all records; `events` are those that the cluster manager has logged so far.
    pub fn of(story: &Story, machines: &Machines, mut events: Vec<Event>) -> Self {
        let (from, to) = story.window();
        let within = |at: Epoch| at >= from && at <= to;
        events.retain(|event| within(event.at));
        let world = machines.world();
        let (history, address) = (world.history(), machines.layout().address());
        let mut changes = world.history_of(address);
        changes.retain(|held| held.at <= to);
        // An isolation and the merge after it are two moves; the longer one counts.
        let spread = spreads(&changes, story.began).into_iter().max_by(f64::total_cmp);
        let requests: Vec<(Option<NodeName>, LoggedRequest)> = world
            .requests_since(from)
            .into_iter()
            .filter(|request| within(request.at))
            .map(|request| (world.sender(&request), request))
            .collect();
        let clients: Vec<Vec<Sample>> =
            machines.clients().iter().map(|client| client.since(from - 1.0)).collect();
        let hit: Vec<NodeName> = machines
            .unusable()
            .iter()
            .filter(|span| span.to.is_none_or(|end| end > from))
            .map(|s| s.node)
            .collect();
        let calls = |service| requests.iter().filter(|(_, request)| request.service == service).count();

        let mut lines: Vec<TimelineEntry> = story
            .notes()
            .iter()
            .filter(|(at, _)| within(*at))
            .map(|(at, what)| line(*at, ">>", what))
            .collect();
        lines.extend(events.iter().filter_map(told));
        lines.extend(requests.iter().filter_map(|(sender, request)| sent(*sender, request)));
        lines.extend(holders(&history, from, to));
        for (number, samples) in clients.iter().enumerate() {
            let name =
                if clients.len() == 1 { "client".to_owned() } else { format!("client {}", number + 1) };
            lines.extend(answers(&name, samples, from, to));
        }
        lines.sort_by(|a, b| a.at.total_cmp(&b.at));

        Self {
            marks: marks(from, story.target, &hit, &events, &requests, &history, &clients),
            unheld: unheld(&history, machines.unusable(), from, to),
            unassigned: unassigned(&history, from, to),
            outage: machines.outage(machines.layout().address(), from, to),
            spread: spread.filter(|_| machines.layout().overlay() == Some(address)),
            lines: once(lines),
            calls: (calls(Service::Ec2), calls(Service::Imds)),
        }
    }
}

/// Key times of the move that put the address where it stayed: in a merge it may move more than once.
fn marks(
    failure: Epoch,
    target: Option<NodeName>,
    hit: &[NodeName],
    events: &[Event],
    requests: &[(Option<NodeName>, LoggedRequest)],
    history: &[HolderSince],
    clients: &[Vec<Sample>],
) -> Marks {
    let noticed = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::Suspicion(_)
                | EventKind::PeerLost(_)
                | EventKind::PeerBack(_)
                | EventKind::Initiated { .. }
        )
    };
    let begins = |kind: &EventKind| {
        matches!(kind, EventKind::Executing { action, resource }
            if resource == RESOURCE && (action == "start" || action == "migrate_from"))
    };
    let by_target = |node: Option<NodeName>| node.is_some() && node == target;
    let associates = |(sender, request): &&(Option<NodeName>, LoggedRequest)| {
        by_target(*sender) && ADDRESSES.iter().any(|ManagedAddress { calls: [take, _], .. }| request.is(take))
    };
    let gains = |held: &&HolderSince| held.at >= failure && by_target(held.by);
    let moved = history.iter().rfind(gains).map(|held| held.at);
    // If the address never moved, an answer from its holder marks nothing.
    let answers = |sample: &&Sample| sample.began >= moved.unwrap_or(f64::MAX) && by_target(sample.answer);
    let first_answer = |samples: &Vec<Sample>| samples.iter().find(answers).map(|sample| sample.ended);
    let answered: Option<Vec<Epoch>> = clients.iter().map(first_answer).collect();
    let before_it = |at: &Epoch| *at <= moved.unwrap_or(f64::MAX);
    let mut starts = events.iter().filter(|e| by_target(Some(e.node)) && begins(&e.kind)).map(|e| e.at);
    Marks {
        failure,
        detected: events.iter().find(|e| !hit.contains(&e.node) && noticed(&e.kind)).map(|e| e.at),
        start: starts.rfind(before_it),
        associate: requests.iter().filter(associates).map(|(_, request)| request.at).rfind(before_it),
        moved,
        answered: answered.and_then(|ended| ended.into_iter().max_by(f64::total_cmp)),
    }
}

fn told(event: &Event) -> Option<TimelineEntry> {
    let ours = |resource: &str| ADDRESSES.iter().any(|address| address.resource == resource);
    let what = match &event.kind {
        EventKind::Suspicion(why) => format!("corosync: {why}"),
        EventKind::PeerLost(peer) => format!("pacemaker: {peer} is lost"),
        EventKind::PeerBack(peer) => format!("pacemaker: {peer} is a member"),
        EventKind::Executing { action, resource } if ours(resource) && action != "monitor" => {
            format!("{resource}: {action}")
        }
        EventKind::Ended { action, resource, result } if ours(resource) && result != "Cancelled" => {
            format!("{resource}: {action} ended: {result}")
        }
        _ => return None,
    };
    Some(line(event.at, event.node, what))
}

/// The timeline entry for a request that moves an address, or tries to.
fn sent(sender: Option<NodeName>, request: &LoggedRequest) -> Option<TimelineEntry> {
    if !ADDRESSES.iter().any(|address| address.calls.iter().any(|call| request.is(call))) {
        return None;
    }
    let flaw = request.code.as_ref().or(request.fault.as_ref());
    let outcome = flaw.map_or_else(String::new, |flaw| format!(" ({flaw})"));
    let who = sender.map_or_else(|| "?".to_owned(), |node| node.to_string());
    let table = request.params.get("RouteTableId").map_or_else(String::new, |table| format!(" {table}"));
    Some(line(request.at, who, format!("EC2: {}{table}{outcome}", request.operation)))
}

/// One entry for each change of holder between `from` and `to`.
fn holders(history: &[HolderSince], from: Epoch, to: Epoch) -> impl Iterator<Item = TimelineEntry> {
    history.iter().filter(move |held| held.at >= from && held.at <= to).map(|held| {
        let what = held.by.map_or_else(|| "unassigned".to_owned(), |node| format!("{node} holds it"));
        line(held.at, "address", what)
    })
}

/// A client's entries: each time another node answers, and each gap longer than a hiccup.
fn answers(client: &str, samples: &[Sample], from: Epoch, to: Epoch) -> Vec<TimelineEntry> {
    const HICCUP: f64 = 0.25;
    let mut lines = Vec::new();
    let mut last: Option<(NodeName, Epoch)> = None;
    for sample in samples.iter().filter(|sample| sample.ended <= to) {
        let Some(node) = sample.answer else { continue };
        if let Some((before, at)) = last
            && (before != node || sample.ended - at > HICCUP)
        {
            lines.push(line(at, client, format!("last answer of {before}")));
            let silence = sample.ended - at;
            lines.push(line(sample.ended, client, format!("first answer of {node}, after {silence:.2} s")));
        } else if last.is_none() && sample.ended > from {
            lines.push(line(sample.ended, client, format!("first answer of {node}")));
        }
        last = Some((node, sample.ended));
    }
    lines
}

/// Merges consecutive repeats.
fn once(lines: Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    let mut kept: Vec<(TimelineEntry, usize)> = Vec::new();
    for line in lines {
        match kept.iter_mut().rev().take(2).find(|(last, _)| last.who == line.who && last.what == line.what) {
            Some((_, times)) => *times += 1,
            None => kept.push((line, 1)),
        }
    }
    let counted = |(mut line, times): (TimelineEntry, usize)| {
        if times > 1 {
            line.what = format!("{} ({times} times)", line.what);
        }
        line
    };
    kept.into_iter().map(counted).collect()
}

fn line(at: Epoch, who: impl Display, what: impl Into<String>) -> TimelineEntry {
    TimelineEntry { at, who: who.to_string(), what: what.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_one_line() {
        let lines = [1.0, 2.0, 3.0].map(|at| line(at, "n2", "EC2: AssociateAddress (error)"));
        let kept = once(lines.into());
        assert_eq!(kept, [line(1.0, "n2", "EC2: AssociateAddress (error) (3 times)")]);
    }

    #[test]
    fn the_client_reports_silence_and_a_new_node_but_not_a_lost_packet() {
        let sample = |ended: f64, answer: &str| Sample { began: ended, ended, answer: answer.parse().ok() };
        let samples = [
            sample(9.9, "n1"),
            sample(10.1, "n1"),
            sample(10.2, ""),
            sample(10.3, "n1"),
            sample(11.0, ""),
            sample(12.3, "n2"),
        ];
        let told: Vec<_> =
            answers("client", &samples, 10.0, 20.0).into_iter().map(|line| (line.at, line.what)).collect();
        let expected =
            [(10.3, "last answer of n1".to_owned()), (12.3, "first answer of n2, after 2.00 s".to_owned())];
        assert_eq!(told, expected);
    }
}
