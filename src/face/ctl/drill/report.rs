//! The result of a drill, as text and as JSON.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};

use super::sightings::{
    ClusterSighting, ConnectionAttempt, HolderQuery, UnassignedTime, holders, longest_outage, unassigned_time,
};
use crate::face::cluster::operations::AgentOperation;
use crate::resource::millis;

/// One move.
#[derive(Debug, Clone, Default)]
pub struct Move {
    /// Node that ran the resource before.
    pub from: String,
    /// Node that runs it now.
    pub to: String,
    /// When it was requested, or failed, in milliseconds since 1970.
    pub at_ms: u64,
    /// A failure moved it, not a request.
    pub by_failure: bool,
    /// From the request, or the first sign of the failure, until the cluster reported completion.
    pub took: Duration,
    /// Answers of the cluster in that time.
    pub sightings: Vec<ClusterSighting>,
    /// What the agent did, in order.
    pub operations: Vec<AgentOperation>,
    /// Answers of EC2 in that time.
    pub queries: Vec<HolderQuery>,
    /// Number of queries without an answer.
    pub unanswered: usize,
    /// Port and connection attempts of the client, if there was one.
    pub client: Option<(u16, Vec<ConnectionAttempt>)>,
}

/// A whole drill.
#[derive(Debug, Clone)]
pub struct Drill<'a> {
    /// Name of the resource.
    pub resource: &'a str,
    /// Its address.
    pub address: IpAddr,
    /// Whether it supports live migration.
    pub live: bool,
    /// The moves, in order.
    pub moves: &'a [Move],
    /// The node that runs the resource at the end.
    pub now_on: &'a str,
}

impl Move {
    /// Time without a holder, according to EC2.
    pub fn unassigned(&self) -> UnassignedTime {
        unassigned_time(&self.queries)
    }

    /// Longest time in which clients could not connect, if there were clients.
    pub fn outage(&self) -> Option<Duration> {
        self.client.as_ref().map(|(_, attempts)| longest_outage(attempts).1)
    }

    /// Text for the terminal.
    pub fn show(&self) -> String {
        let mut text = format!("{} -> {}: done after {}\n", self.from, self.to, seconds(self.took));
        let mut seen = Vec::new();
        for (at, holder) in holders(&self.queries) {
            let holder = holder.as_deref().unwrap_or("unassigned").to_owned();
            seen.push(if seen.is_empty() { holder } else { format!("from {} {holder}", seconds(at)) });
        }
        let _ = writeln!(text, "  EC2        {}", seen.join(", "));
        let unassigned_time = self.unassigned();
        let least = match unassigned_time.at_least {
            Duration::ZERO => String::new(),
            least => format!("at least {}, ", seconds(least)),
        };
        let most = seconds(unassigned_time.at_most);
        let _ = writeln!(text, "  no holder  for {least}at most {most}");
        if self.unanswered > 0 {
            let all = self.unanswered + self.queries.len();
            let _ = writeln!(text, "  queries    {} of {all} got no answer", self.unanswered);
        }
        if let Some((port, attempts)) = &self.client {
            let (failed, all) = (failed(attempts), attempts.len());
            let outage = seconds(longest_outage(attempts).1);
            let _ = writeln!(
                text,
                "  clients    port {port} did not answer for {outage} ({failed} of {all} attempts failed)"
            );
        }
        text
    }
}

impl Drill<'_> {
    /// JSON.
    pub fn document(&self) -> Value {
        json!({
            "resource": self.resource,
            "address": self.address,
            "live": self.live,
            "moves": self.moves.iter().map(one).collect::<Vec<_>>(),
            "now_on": self.now_on,
        })
    }
}

fn one(this: &Move) -> Value {
    let since = |(at, holder): (Duration, Option<String>)| json!({ "at_ms": millis(at), "holder": holder });
    let unassigned_time = this.unassigned();
    let client = this.client.as_ref().map(|(port, attempts)| {
        json!({
            "port": port,
            "attempts": attempts.len(),
            "failed": failed(attempts),
            "longest_outage_ms": millis(longest_outage(attempts).1),
        })
    });
    json!({
        "from": this.from,
        "to": this.to,
        "by_failure": this.by_failure,
        "took_ms": millis(this.took),
        "holders": holders(&this.queries).into_iter().map(since).collect::<Vec<_>>(),
        "nobody_ms": { "at_least": millis(unassigned_time.at_least), "at_most": millis(unassigned_time.at_most) },
        "looks": this.queries.len(),
        "looks_unanswered": this.unanswered,
        "client": client,
    })
}

fn failed(attempts: &[ConnectionAttempt]) -> usize {
    attempts.iter().filter(|attempt| !attempt.connected).count()
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Move {
        let ms = Duration::from_millis;
        let query = |sent: u64, holder: Option<&str>| HolderQuery {
            sent: ms(sent),
            answered: ms(sent + 10),
            holder: holder.map(str::to_owned),
        };
        let attempt = |began: u64, connected| ConnectionAttempt { began: ms(began), connected };
        Move {
            from: "n1".to_owned(),
            to: "n2".to_owned(),
            took: ms(1240),
            at_ms: 1_795_912_345_000,
            queries: vec![
                query(0, Some("i-1 (10.0.0.1)")),
                query(200, None),
                query(400, None),
                query(600, Some("i-2 (10.0.0.2)")),
            ],
            unanswered: 1,
            client: Some((80, vec![attempt(0, true), attempt(100, false), attempt(400, true)])),
            ..Move::default()
        }
    }

    #[test]
    fn a_move_is_shown_with_all_figures() {
        let expected = "n1 -> n2: done after 1.24 s\n\
            \x20 EC2        i-1 (10.0.0.1), from 0.21 s unassigned, from 0.61 s i-2 (10.0.0.2)\n\
            \x20 no holder  for at least 0.19 s, at most 0.61 s\n\
            \x20 queries    1 of 5 got no answer\n\
            \x20 clients    port 80 did not answer for 0.30 s (1 of 3 attempts failed)\n";
        assert_eq!(sample().show(), expected);
        let direct = Move { queries: Vec::new(), unanswered: 0, client: None, ..sample() };
        assert!(direct.show().ends_with("no holder  for at most 0.00 s\n"), "{}", direct.show());
    }

    #[test]
    fn programs_get_the_same_in_milliseconds() {
        let moves = [sample()];
        let drill = Drill {
            resource: "eip",
            address: "203.0.113.10".parse().unwrap(),
            live: false,
            moves: &moves,
            now_on: "n2",
        };
        let document = drill.document();
        assert_eq!(document["address"], "203.0.113.10");
        let first = &document["moves"][0];
        assert_eq!(first["nobody_ms"], json!({ "at_least": 190, "at_most": 610 }));
        assert_eq!(first["holders"][1], json!({ "at_ms": 210, "holder": null }));
        assert_eq!(first["client"]["longest_outage_ms"], 300);
    }
}
