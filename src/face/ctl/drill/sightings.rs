//! Observations of an address while it moves, and the conclusions. Pure: times count from the request to move.
//!
//! EC2 is queried at intervals, so what happens between two queries is only known within bounds; the report gives both.

use std::time::Duration;

use crate::face::cluster::status::Status;

/// One answer of EC2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderQuery {
    /// When the query was sent.
    pub sent: Duration,
    /// When the answer arrived.
    pub answered: Duration,
    /// Holder of the address; `None` if unassigned.
    pub holder: Option<String>,
}

/// One connection attempt of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionAttempt {
    /// Start of the attempt.
    pub began: Duration,
    /// Whether the connection was established within its limit.
    pub connected: bool,
}

/// Where a resource is according to the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterState {
    /// Started on this node, and nothing under way.
    On(String),
    /// Stopped, or an action is under way.
    Moving,
    /// This node, which ran it, is not there.
    Lost(String),
}

/// One answer of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSighting {
    /// When it was sent.
    pub at: Duration,
    /// State of the resource according to the cluster.
    pub state: ClusterState,
}

/// What was seen of a move so far.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    /// Queries that EC2 answered, in order.
    pub queries: Vec<HolderQuery>,
    /// Number of queries without an answer.
    pub unanswered: usize,
    /// Finished connection attempts of the client, if there is one.
    pub attempts: Vec<ConnectionAttempt>,
    /// Answers of the cluster.
    pub sightings: Vec<ClusterSighting>,
}

impl Observations {
    /// The same with times from a later moment. Of what was before it, only the last answer counts.
    #[must_use]
    pub fn since(mut self, origin: Duration) -> Self {
        let Self { queries, attempts, sightings, .. } = &mut self;
        queries.drain(..queries.iter().rposition(|query| query.answered < origin).unwrap_or_default());
        sightings.drain(..sightings.iter().rposition(|one| one.at < origin).unwrap_or_default());
        attempts.retain(|attempt| attempt.began >= origin);
        let of_queries = queries.iter_mut().flat_map(|query| [&mut query.sent, &mut query.answered]);
        let of_sightings = sightings.iter_mut().map(|sighting| &mut sighting.at);
        let of_attempts = attempts.iter_mut().map(|attempt| &mut attempt.began);
        let times = of_queries.chain(of_sightings).chain(of_attempts);
        times.for_each(|time| *time = time.saturating_sub(origin));
        self
    }
}

impl ClusterState {
    /// Where the resource is, which `from` ran at first.
    pub fn of(status: &Status, resource: &str, from: &str) -> Self {
        match status.settled_on(resource) {
            Some(node) if node != from => Self::On(node.to_owned()),
            _ if status.is_lost(from) => Self::Lost(from.to_owned()),
            Some(node) => Self::On(node.to_owned()),
            None => Self::Moving,
        }
    }
}

/// Time without a holder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnassignedTime {
    /// Lower bound: from the first to the last answer without a holder.
    pub at_least: Duration,
    /// Upper bound: between the surrounding answers with a holder.
    pub at_most: Duration,
}

/// Each holder, `None` included, with the time when EC2 first showed it.
pub fn holders(queries: &[HolderQuery]) -> Vec<(Duration, Option<String>)> {
    let runs = queries.chunk_by(|one, next| one.holder == next.holder).filter_map(<[_]>::first);
    runs.map(|first| (first.answered, first.holder.clone())).collect()
}

/// Bounds for the time without a holder.
pub fn unassigned_time(queries: &[HolderQuery]) -> UnassignedTime {
    let mut found = UnassignedTime::default();
    let mut last_held: Option<&HolderQuery> = None;
    for run in queries.chunk_by(|one, next| one.holder == next.holder) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        if first.holder.is_none() {
            found.at_least += last.sent.saturating_sub(first.answered);
            continue;
        }
        if let Some(before) = last_held {
            found.at_most += first.answered.saturating_sub(before.sent);
        }
        last_held = Some(last);
    }
    // Still unassigned at the last query.
    if let Some(last) = queries.last().filter(|last| last.holder.is_none()) {
        found.at_most += last.answered.saturating_sub(last_held.map_or(Duration::ZERO, |query| query.sent));
    }
    found
}

/// The longest period in which clients could not connect, by the start of their attempts: when it began, and its length.
pub fn longest_outage(attempts: &[ConnectionAttempt]) -> (Duration, Duration) {
    let mut attempts = attempts.to_vec();
    attempts.sort_by_key(|attempt| attempt.began);
    let mut longest = (Duration::ZERO, Duration::ZERO);
    let mut failing: Option<Duration> = None;
    for ConnectionAttempt { began, connected } in attempts {
        let since = failing.unwrap_or(began);
        let length = began.saturating_sub(since);
        if length > longest.1 {
            longest = (since, length);
        }
        failing = (!connected).then_some(since);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Queries that take 10 ms each: when they are sent, and the holder they show.
    fn queries(shown: &[(u64, &str)]) -> Vec<HolderQuery> {
        let query = |(sent, holder): &(u64, &str)| HolderQuery {
            sent: ms(*sent),
            answered: ms(*sent + 10),
            holder: (!holder.is_empty()).then(|| (*holder).to_owned()),
        };
        shown.iter().map(query).collect()
    }

    #[test]
    fn the_time_without_a_holder_is_given_within_bounds() {
        type Row = (&'static str, &'static [(u64, &'static str)], (u64, u64));
        let rows: [Row; 6] = [
            ("nothing moved", &[(0, "a"), (100, "a")], (0, 0)),
            ("straight from one to the other", &[(0, "a"), (100, "a"), (200, "b"), (300, "b")], (0, 110)),
            ("unassigned once", &[(0, "a"), (100, ""), (200, "b")], (0, 210)),
            ("unassigned for long", &[(0, "a"), (100, ""), (200, ""), (300, ""), (400, "b")], (190, 410)),
            ("twice", &[(0, "a"), (100, ""), (200, "b"), (300, ""), (400, "b")], (0, 420)),
            ("for ever", &[(0, "a"), (100, ""), (200, "")], (90, 210)),
        ];
        for (situation, shown, (at_least, at_most)) in rows {
            let expected = UnassignedTime { at_least: ms(at_least), at_most: ms(at_most) };
            assert_eq!(unassigned_time(&queries(shown)), expected, "{situation}");
        }
        assert_eq!(unassigned_time(&[]), UnassignedTime::default());
    }

    #[test]
    fn each_holder_is_named_once_with_when_it_was_first_seen() {
        let seen = holders(&queries(&[(0, "a"), (100, "a"), (200, ""), (300, "b"), (400, "b")]));
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(seen, [(ms(10), named("a")), (ms(210), None), (ms(310), named("b"))]);
    }

    #[test]
    fn the_longest_of_several_outages_counts_whatever_order_the_answers_came_in() {
        let attempt = |began, connected| ConnectionAttempt { began: ms(began), connected };
        let attempts =
            [(0, true), (100, false), (200, true), (500, true), (300, false), (400, false), (600, true)];
        assert_eq!(longest_outage(&attempts.map(|(began, ok)| attempt(began, ok))), (ms(300), ms(200)));
        assert_eq!(longest_outage(&[attempt(0, true), attempt(100, true)]), (ms(0), ms(0)));
        assert_eq!(
            longest_outage(&[attempt(0, true), attempt(100, false), attempt(400, false)]),
            (ms(100), ms(300))
        );
    }
}
