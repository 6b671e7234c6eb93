//! The result of a drill, as text and as JSON.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::json;

use super::sightings::{
    ConnectionAttempt, Observations, UnassignedTime, holders, longest_outage, unassigned_time,
};
use crate::base::deadline::millis;
use crate::face::cluster::operations::AgentOperation;

/// One measured move of the resource.
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
    /// What the agent did, in order.
    pub operations: Vec<AgentOperation>,
    /// What was seen in that time.
    pub seen: Observations,
    /// Port to which the client connected, if there was one.
    pub port: Option<u16>,
}

/// All that a drill measured, as in `--json`.
#[derive(Debug, Clone, Serialize)]
pub struct Drill<'a> {
    /// Name of the resource.
    pub resource: &'a str,
    /// The address that moved.
    pub address: IpAddr,
    /// Whether it supports live migration.
    pub live: bool,
    /// The moves, in order.
    pub moves: &'a [Move],
    /// The node that runs the resource at the end, if it is settled.
    pub now_on: Option<&'a str>,
}

impl Move {
    /// Time without a holder, according to EC2.
    pub fn unassigned(&self) -> UnassignedTime {
        unassigned_time(&self.seen.queries)
    }

    /// Longest time in which clients could not connect, if there were clients.
    pub fn outage(&self) -> Option<Duration> {
        self.port.map(|_| longest_outage(&self.seen.attempts).1)
    }

    /// Text for the terminal.
    pub fn show(&self) -> String {
        let Observations { queries, unanswered, attempts, .. } = &self.seen;
        let mut text = format!("{} -> {}: done after {}\n", self.from, self.to, seconds(self.took));
        let mut seen = Vec::new();
        for (at, holder) in holders(queries) {
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
        if *unanswered > 0 {
            let all = unanswered + queries.len();
            let _ = writeln!(text, "  queries    {unanswered} of {all} got no answer");
        }
        if let Some(port) = self.port {
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

impl Serialize for Move {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Observations { queries, unanswered, attempts, .. } = &self.seen;
        let since =
            |(at, holder): (Duration, Option<String>)| json!({ "at_ms": millis(at), "holder": holder });
        let unassigned = self.unassigned();
        let client = self.port.map(|port| {
            json!({
                "port": port,
                "attempts": attempts.len(),
                "failed": failed(attempts),
                "longest_outage_ms": millis(longest_outage(attempts).1),
            })
        });
        let document = json!({
            "from": self.from,
            "to": self.to,
            "by_failure": self.by_failure,
            "took_ms": millis(self.took),
            "holders": holders(queries).into_iter().map(since).collect::<Vec<_>>(),
            "nobody_ms": { "at_least": millis(unassigned.at_least), "at_most": millis(unassigned.at_most) },
            "looks": queries.len(),
            "looks_unanswered": unanswered,
            "client": client,
        });
        document.serialize(serializer)
    }
}

fn failed(attempts: &[ConnectionAttempt]) -> usize {
    attempts.iter().filter(|attempt| !attempt.connected).count()
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::super::sightings::HolderQuery;
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
            seen: Observations {
                queries: vec![
                    query(0, Some("i-1 (10.0.0.1)")),
                    query(200, None),
                    query(400, None),
                    query(600, Some("i-2 (10.0.0.2)")),
                ],
                unanswered: 1,
                attempts: vec![attempt(0, true), attempt(100, false), attempt(400, true)],
                ..Observations::default()
            },
            port: Some(80),
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
        let direct = Move { seen: Observations::default(), port: None, ..sample() };
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
            now_on: Some("n2"),
        };
        let document = serde_json::to_value(&drill).unwrap();
        assert_eq!(document["address"], "203.0.113.10");
        let first = &document["moves"][0];
        assert_eq!(first["nobody_ms"], json!({ "at_least": 190, "at_most": 610 }));
        assert_eq!(first["holders"][1], json!({ "at_ms": 210, "holder": null }));
        assert_eq!(first["client"]["longest_outage_ms"], 300);
    }
}
