//! The result of a drill as a page with timelines.

use std::time::Duration;

use super::page::{FigureTable, ReportPage};
use super::picture::{LaneSpan, SpanKind, TimelineChart, TimelineLane, seconds};
use super::report::{Drill, Move};
use super::sightings::{ClusterState, holders};
use crate::base::timezone;
use crate::face::cluster::operations::AgentOperation;
use crate::state::DrillFigures;

/// Since before the origin, and for ever.
const ALWAYS: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);
/// Silences of clients that get a label; the rest are drawn without one.
const SILENCES: usize = 3;

impl Move {
    /// What cluster, agent, EC2 and clients saw of it.
    pub fn chart(&self) -> TimelineChart {
        let (origin, how) = if self.by_failure {
            ("first sign of the failure", "a failure")
        } else {
            ("move requested", "a planned move")
        };
        let lanes = [
            ("cluster", self.cluster(), "not seen"),
            ("agent", self.agent(), "nothing on record"),
            ("EC2", self.by_ec2(), "no answer"),
            ("clients", self.clients(), "not measured: --probe PORT connects to the address as clients do"),
        ];
        let lane = |(name, spans, empty)| TimelineLane { name, spans, empty };
        let heading = format!("{} → {}: {how}", self.from, self.to);
        TimelineChart { heading, origin: origin.to_owned(), lanes: lanes.map(lane).into() }
    }

    fn cluster(&self) -> Vec<LaneSpan> {
        let shown = self.seen.sightings.iter().map(|sighting| {
            let (kind, label) = match &sighting.state {
                ClusterState::On(node) if *node == self.from => (SpanKind::Old, format!("on {node}")),
                ClusterState::On(node) => (SpanKind::New, format!("on {node}")),
                ClusterState::Moving => (SpanKind::Moving, "in transition".to_owned()),
                ClusterState::Lost(node) => (SpanKind::Missing, format!("{node} is lost")),
            };
            (sighting.at, kind, label)
        });
        in_a_row(shown)
    }

    fn by_ec2(&self) -> Vec<LaneSpan> {
        let seen = holders(&self.seen.queries);
        let [first, last] = [seen.first(), seen.last()].map(|one| one.and_then(|(_, holder)| holder.clone()));
        let shown = seen.into_iter().map(|(at, holder)| match holder {
            None => (at, SpanKind::Missing, "no holder".to_owned()),
            Some(_) if holder == first => (at, SpanKind::Old, self.from.clone()),
            Some(_) if holder == last => (at, SpanKind::New, self.to.clone()),
            Some(other) => (at, SpanKind::New, other),
        });
        in_a_row(shown)
    }

    fn clients(&self) -> Vec<LaneSpan> {
        let mut attempts = self.seen.attempts.clone();
        attempts.sort_by_key(|attempt| attempt.began);
        let seen = holders(&self.seen.queries);
        let arrived =
            seen.last().filter(|last| seen.first() != Some(last)).map_or(Duration::MAX, |last| last.0);
        let mut moved = false;
        let shown = attempts.iter().map(|attempt| {
            moved |= !attempt.connected || attempt.began >= arrived;
            let (kind, label) = match (attempt.connected, moved) {
                (false, _) => (SpanKind::Missing, "no answer"),
                (true, false) => (SpanKind::Old, "answered"),
                (true, true) => (SpanKind::New, "answered"),
            };
            (attempt.began, kind, label.to_owned())
        });
        let mut spans = in_a_row(shown);
        let end = attempts.last().map_or(0.0, |attempt| attempt.began.as_secs_f64());
        let missing = |span: &LaneSpan| span.kind == SpanKind::Missing;
        let lasted = |span: &LaneSpan| span.to.min(end) - span.from.max(0.0);
        let mut silences: Vec<f64> = spans.iter().filter(|span| missing(span)).map(lasted).collect();
        silences.sort_by(|one, other| other.total_cmp(one));
        let least = silences.get(SILENCES.min(silences.len()).saturating_sub(1)).copied().unwrap_or_default();
        for span in &mut spans {
            let long = lasted(span);
            match (missing(span), long >= least) {
                (true, true) => span.label = format!("no answer for {}", seconds(long)),
                (true, false) => span.label.clear(),
                (false, _) => {}
            }
        }
        spans
    }

    /// The actions, placed where their effect was seen; one without a visible effect follows the one before.
    fn agent(&self) -> Vec<LaneSpan> {
        let [before, after] = [self.seen.queries.first(), self.seen.queries.last()]
            .map(|query| query.and_then(|query| query.holder.as_deref()));
        // Between the query before the change and the answer that showed it.
        let change = |is_new: &dyn Fn(Option<&str>) -> bool| {
            let mut pairs = self.seen.queries.iter().zip(self.seen.queries.iter().skip(1));
            let (last, shown) = pairs.find(|(_, query)| is_new(query.holder.as_deref()))?;
            Some(f64::midpoint(last.sent.as_secs_f64(), shown.answered.as_secs_f64()))
        };
        let left = change(&|holder| holder != before);
        let arrived = change(&|holder| after != before && holder == after);
        let mut spans: Vec<LaneSpan> = Vec::new();
        for operation in &self.operations {
            let AgentOperation { action, node, took, .. } = operation;
            let long = took.as_secs_f64();
            let previous = spans.last().map(|span| span.to);
            let effect = match action.as_str() {
                "stop" if previous.is_none() => left,
                "start" | "migrate_from" => arrived,
                _ => None,
            };
            let from = match (effect, previous) {
                (Some(effect), _) => effect - long / 2.0,
                (None, Some(previous)) => previous,
                (None, None) => left.or(arrived).unwrap_or_default() - long,
            };
            let from = from.max(previous.unwrap_or_default());
            let label = format!("{action} on {node}, {} ms", took.as_millis());
            spans.push(LaneSpan { from, to: from + long, kind: SpanKind::Work, label });
        }
        spans
    }

    /// The figures that are kept.
    pub fn figures(&self) -> DrillFigures {
        let unassigned = self.unassigned();
        let ms = crate::base::deadline::millis;
        DrillFigures {
            at_ms: self.at_ms,
            from: self.from.clone(),
            to: self.to.clone(),
            by_failure: self.by_failure,
            took_ms: ms(self.took),
            unassigned_ms: (ms(unassigned.at_least), ms(unassigned.at_most)),
            outage_ms: self.outage().map(ms),
        }
    }
}

/// Spans from what was seen when: each lasts until something else is seen; the first began before.
fn in_a_row(shown: impl IntoIterator<Item = (Duration, SpanKind, String)>) -> Vec<LaneSpan> {
    let mut spans: Vec<LaneSpan> = Vec::new();
    for (at, kind, label) in shown {
        let at = at.as_secs_f64();
        match spans.last_mut() {
            Some(last) if last.kind == kind && last.label == label => continue,
            Some(last) => last.to = at,
            None => {}
        }
        let from = if spans.is_empty() { ALWAYS.0 } else { at };
        spans.push(LaneSpan { from, to: ALWAYS.1, kind, label });
    }
    spans
}

impl Drill<'_> {
    /// The report. `earlier` are the figures of all drills, with those of this one at the end.
    pub fn page(&self, earlier: &[DrillFigures], faster: Result<Vec<String>, String>) -> ReportPage {
        let long = |ms: u64| seconds(Duration::from_millis(ms).as_secs_f64());
        let range = |(least, most): (u64, u64)| {
            if least == 0 {
                format!("up to {}", long(most))
            } else {
                format!("{} to {}", long(least), long(most))
            }
        };
        let own: Vec<DrillFigures> = self.moves.iter().map(Move::figures).collect();
        let outage = own.iter().filter_map(|one| one.outage_ms).max();
        let unassigned =
            own.iter().map(|one| one.unassigned_ms).max_by_key(|range| range.1).unwrap_or_default();
        let took = own.iter().map(|one| one.took_ms).max().unwrap_or_default();
        let outage = outage.map_or_else(|| "not measured".to_owned(), long);
        let figures = [
            (outage, "clients without an answer"),
            (range(unassigned), "without a holder, according to EC2"),
            (long(took), "until the cluster was done"),
        ];
        let rows = earlier.iter().rev().map(|one| {
            let how = if one.by_failure { "failure" } else { "planned" };
            let clients = one.outage_ms.map_or_else(|| "-".to_owned(), long);
            let route = format!("{} → {}", one.from, one.to);
            vec![
                timezone::wall_time(one.at_ms),
                route,
                how.to_owned(),
                long(one.took_ms),
                range(one.unassigned_ms),
                clients,
            ]
        });
        let (faster, unknown) = match faster {
            Ok(faster) => (Some(faster), String::new()),
            Err(reason) => (None, format!(" What would make it faster is unknown: {reason}.")),
        };
        let mut remarks = vec![
            "The agent: how long each action took according to the cluster, which keeps the last one of each node; drawn where \
             EC2 showed its effect. EC2 is queried at intervals, so its changes are up to one interval late."
                .to_owned(),
        ];
        if self.moves.iter().any(|one| one.by_failure && one.port.is_none()) {
            remarks.push(
                "Without --probe the failure shows when the cluster notices it: the time before is missing here.".to_owned(),
            );
        }
        let now_on =
            self.now_on.map_or("It did not settle.".to_owned(), |node| format!("It is on {node} now."));
        let live = if self.live { "with" } else { "without" };
        let when = own.first().map_or_else(String::new, |one| timezone::wall_time(one.at_ms));
        ReportPage {
            title: format!("Drill of {} ({})", self.resource, self.address),
            about: format!("{when}, {live} live moves. {now_on} Each figure is the worst of this drill."),
            figures: figures.map(|(figure, about)| (figure, about.to_owned())).into(),
            charts: self.moves.iter().map(Move::chart).collect(),
            remarks,
            table: FigureTable {
                heading: "This drill and earlier ones".to_owned(),
                heads: vec!["when", "move", "how", "cluster done", "no holder", "clients cut off"],
                texts: 3,
                rows: rows.collect(),
                remark: format!(
                    "Newest first. Each node keeps the figures of the drills that were run on it.{unknown}"
                ),
            },
            faster,
            written: format!("Written by eipctl {}.", env!("CARGO_PKG_VERSION")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sightings::{ClusterSighting, ConnectionAttempt, HolderQuery, Observations};
    use super::*;
    use crate::face::cluster::cib::Cib;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// A stop and a start, measured by a drill with clients.
    fn planned() -> Move {
        let query = |sent: u64, holder: Option<&str>| HolderQuery {
            sent: ms(sent),
            answered: ms(sent + 10),
            holder: holder.map(str::to_owned),
        };
        let sighting = |at: u64, state| ClusterSighting { at: ms(at), state };
        let cib = include_str!("../../cluster/fixtures/cib-2.1.5.xml");
        Move {
            from: "n1".to_owned(),
            to: "n2".to_owned(),
            at_ms: 1_795_912_345_000,
            took: ms(1240),
            seen: Observations {
                sightings: vec![
                    sighting(0, ClusterState::On("n1".to_owned())),
                    sighting(250, ClusterState::Moving),
                    sighting(500, ClusterState::Moving),
                    sighting(750, ClusterState::On("n2".to_owned())),
                ],
                queries: vec![
                    query(0, Some("i-1")),
                    query(200, None),
                    query(400, None),
                    query(600, Some("i-2")),
                ],
                attempts: (0..10)
                    .map(|n| ConnectionAttempt { began: ms(n * 100), connected: !(3..6).contains(&n) })
                    .collect(),
                ..Observations::default()
            },
            operations: AgentOperation::since(AgentOperation::all(&Cib::parse(cib).unwrap(), "eip"), &[]),
            port: Some(80),
            ..Move::default()
        }
    }

    fn shown(lane: &TimelineLane) -> Vec<String> {
        lane.spans.iter().map(|span| format!("{:.3} {:.3} {}", span.from, span.to, span.label)).collect()
    }

    #[test]
    fn each_lane_shows_what_its_observer_saw() {
        let chart = planned().chart();
        let lanes: Vec<_> = chart.lanes.iter().map(shown).collect();
        assert_eq!(lanes[0], ["-inf 0.250 on n1", "0.250 0.750 in transition", "0.750 inf on n2"]);
        // In the middle of what EC2 leaves open: 0 to 210 ms, and 400 to 610 ms.
        assert_eq!(lanes[1], ["0.084 0.126 stop on n1, 41 ms", "0.476 0.533 start on n2, 57 ms"]);
        assert_eq!(lanes[2], ["-inf 0.210 n1", "0.210 0.610 no holder", "0.610 inf n2"]);
        assert_eq!(
            lanes[3],
            ["-inf 0.300 answered", "0.300 0.600 no answer for 0.30 s", "0.600 inf answered"]
        );
        let silent = Move { seen: Observations::default(), port: None, by_failure: true, ..planned() };
        assert!(silent.chart().lanes[3].spans.is_empty());
        let drill = Drill {
            resource: "eip",
            address: [203, 0, 113, 10].into(),
            live: false,
            moves: &[silent],
            now_on: Some("n2"),
        };
        assert!(drill.page(&[], Ok(Vec::new())).remarks[1].contains("Without --probe"));
    }

    #[test]
    fn the_page_has_all_figures_and_no_text_of_others_as_markup() {
        let name = "<script>alert('n1')</script> & \"co\"";
        let moves = [Move { from: name.to_owned(), ..planned() }];
        let address = "203.0.113.10".parse().unwrap();
        let drill = Drill { resource: "eip", address, live: false, moves: &moves, now_on: Some(name) };
        let earlier = [
            DrillFigures { outage_ms: None, unassigned_ms: (100, 20_000), ..planned().figures() },
            moves[0].figures(),
        ];
        let html = drill
            .page(&earlier, Ok(vec!["a <b> c".to_owned(), "run `eip <x>`, not `vip`; a ` alone".to_owned()]))
            .html();
        for part in [
            "0.30 s",
            "0.19 s to 0.61 s",
            "1.24 s",
            "0.10 s to 20.0 s",
            "a &lt;b&gt; c",
            "run <code>eip &lt;x&gt;</code>, not <code>vip</code>; a ` alone",
            "&lt;script&gt;alert(&apos;n1&apos;)",
        ] {
            assert!(html.contains(part), "{part}\n{html}");
        }
        for part in ["<script", "<b>", "http:", "https:", "src=", "@import"] {
            assert!(!html.contains(part), "{part}");
        }
        let unknown = drill.page(&earlier, Err("cibadmin: no answer".to_owned())).html();
        assert!(
            unknown.contains("is unknown: cibadmin: no answer")
                && !unknown.contains("What would make it faster</h2>")
        );
    }
}
