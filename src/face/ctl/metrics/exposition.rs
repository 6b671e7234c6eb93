//! The metrics of this node's addresses in Prometheus's text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::face::report::NodeReport;
use crate::resource::error::Scope;
use crate::state::{Change, Tally};

/// Actions that are counted from zero, so that an increase is seen from the first time on.
const ACTIONS: [&str; 5] = ["start", "stop", "monitor", "migrate_to", "migrate_from"];
/// Reasons for moves, likewise.
const MOVES: [&str; 3] = ["start", "migrate_from", "stop"];
/// Reason of a monitor that found the address not here.
pub const ABSENT: &str = "absent";

/// What is known about one address on this node.
#[derive(Debug, Clone)]
pub struct AddressMetrics {
    /// Id of the resource: a label of its metrics.
    pub resource: String,
    /// Address for the label, the public one for an Elastic IP.
    pub address: String,
    /// Name of its agent.
    pub agent: &'static str,
    /// Whether this node has the address; `None` if that is not known.
    pub held: Option<bool>,
    /// What happened since boot.
    pub tally: Tally,
    /// The last change by which this node got the address.
    pub takeover: Option<Change>,
    /// What `eip-health` reported about it here.
    pub report: Option<NodeReport>,
}

/// The document for all addresses. Each metric is described once, as the format requires.
pub fn exposition(addresses: &[AddressMetrics]) -> String {
    let mut page = MetricsPage::default();
    page.metric("eip_build_info", "gauge", "Version of the agents on this node.");
    page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);

    page.metric("eip_address_held", "gauge", "Whether this node has the address.");
    page.each(addresses, |one| one.held.map(u8::from).into_iter().map(|held| (vec![], held)));
    page.metric("eip_last_check_timestamp_seconds", "gauge", "When that was last checked.");
    page.each(addresses, |one| one.tally.checked.into_iter().map(|at| (vec![], at)));

    page.metric("eip_ready", "gauge", "Whether this node could take the address, according to eip-health.");
    page.each(addresses, |one| {
        one.report.iter().filter_map(|report| Some((vec![], u8::from(report.ready?))))
    });
    page.metric("eip_ready_report_timestamp_seconds", "gauge", "When eip-health last reported about it.");
    page.each(addresses, |one| one.report.iter().map(|report| (vec![], report.at)));

    page.metric("eip_moves_total", "counter", "Changes of holder that this node made since boot.");
    page.each(addresses, |one| {
        let mut moves = BTreeMap::from(MOVES.map(|action| (action, 0)));
        moves.extend(one.tally.moves.iter().map(|(action, count)| (action.as_str(), *count)));
        moves.into_iter().map(|(action, count)| (vec![("reason", action)], count))
    });
    page.metric("eip_failures_total", "counter", "Failed actions of this node since boot, by scope.");
    page.each(addresses, |one| {
        let mut counts = BTreeMap::from([(("monitor", ABSENT), 0)]);
        let scopes = Scope::ALL.map(Scope::name);
        counts.extend(ACTIONS.iter().flat_map(|action| scopes.map(|scope| ((*action, scope), 0))));
        for (action, reasons) in &one.tally.failures {
            counts.extend(reasons.iter().map(|(reason, count)| ((action.as_str(), reason.as_str()), *count)));
        }
        let labelled = |((action, reason), count)| (vec![("action", action), ("reason", reason)], count);
        counts.into_iter().map(labelled)
    });
    page.metric(
        "eip_metadata_disagreements_total",
        "counter",
        "Actions since boot in which EC2 and instance metadata contradicted each other.",
    );
    page.each(addresses, |one| [(vec![], one.tally.disagreements)]);

    page.metric("eip_last_takeover_timestamp_seconds", "gauge", "When this node last got the address.");
    page.each(addresses, |one| {
        one.takeover.iter().map(|change| (vec![], Duration::from_millis(change.at_ms).as_secs_f64()))
    });
    page.metric("eip_last_takeover_seconds", "gauge", "How long each phase of that move took.");
    page.each(addresses, |one| {
        let phases = one.takeover.iter().flat_map(|change| &change.phases);
        phases.map(|phase| {
            (vec![("phase", phase.phase.as_str())], Duration::from_millis(phase.ms).as_secs_f64())
        })
    });
    page.text
}

/// A document that is being written.
#[derive(Default)]
struct MetricsPage {
    text: String,
    name: &'static str,
}

impl MetricsPage {
    fn metric(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// Samples of each address, with labels beside those that say which address it is.
    fn each<'a, V: std::fmt::Display, S: IntoIterator<Item = (Vec<(&'a str, &'a str)>, V)>>(
        &mut self,
        addresses: &'a [AddressMetrics],
        samples: impl Fn(&'a AddressMetrics) -> S,
    ) {
        for one in addresses {
            for (mut labels, value) in samples(one) {
                let own = [("resource", &*one.resource), ("address", &*one.address), ("agent", one.agent)];
                labels.splice(..0, own);
                self.sample(&labels, value);
            }
        }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", quoted(value))).collect();
        let _ = writeln!(self.text, "{}{{{}}} {value}", self.name, labels.join(","));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> AddressMetrics {
        let takeover = r#"{"at_ms": 1790000000250, "action": "start", "from": "a", "to": "b", "took_ms": 90,
            "phases": [{"phase": "associate", "ms": 35}]}"#;
        let tally = r#"{"moves": {"start": 2, "notify": 1}, "failures": {"start": {"access": 3}, "migrate_to": {"unknown": 1}},
            "disagreements": 4, "checked": 1790000010}"#;
        AddressMetrics {
            resource: "a\"b\\c".to_owned(),
            address: "203.0.113.10".to_owned(),
            agent: "eip",
            held: Some(true),
            tally: serde_json::from_str(tally).unwrap(),
            takeover: serde_json::from_str(takeover).ok(),
            report: "at=1790000005 ready=false here=yes reason=denied".parse().ok(),
        }
    }

    /// [metrics-2]
    #[test]
    fn everything_that_is_known_is_a_sample_and_labels_are_quoted() {
        let page = exposition(&[known()]);
        for line in [
            r"eip_address_held{LABELS} 1",
            r"eip_last_check_timestamp_seconds{LABELS} 1790000010",
            r"eip_ready{LABELS} 0",
            r"eip_ready_report_timestamp_seconds{LABELS} 1790000005",
            r#"eip_moves_total{LABELS,reason="start"} 2"#,
            r#"eip_moves_total{LABELS,reason="stop"} 0"#,
            r#"eip_moves_total{LABELS,reason="notify"} 1"#,
            r#"eip_failures_total{LABELS,action="start",reason="access"} 3"#,
            r#"eip_failures_total{LABELS,action="monitor",reason="absent"} 0"#,
            r#"eip_failures_total{LABELS,action="migrate_to",reason="unknown"} 1"#,
            r"eip_metadata_disagreements_total{LABELS} 4",
            r"eip_last_takeover_timestamp_seconds{LABELS} 1790000000.25",
            r#"eip_last_takeover_seconds{LABELS,phase="associate"} 0.035"#,
        ] {
            let line = line.replace("LABELS", r#"resource="a\"b\\c",address="203.0.113.10",agent="eip""#);
            assert!(page.lines().any(|other| other == line), "{line}\n{page}");
        }
    }

    /// [metrics-2] A sample of 0 would say that the address is not here.
    #[test]
    fn what_is_not_known_is_no_sample() {
        let unknown = AddressMetrics {
            held: None,
            tally: Tally::default(),
            takeover: None,
            report: "at=5 ready=unknown here=unknown reason=".parse().ok(),
            ..known()
        };
        let page = exposition(&[unknown, known()]);
        for metric in
            ["eip_address_held", "eip_ready", "eip_last_check_timestamp_seconds", "eip_last_takeover_seconds"]
        {
            assert_eq!(
                page.lines().filter(|line| line.starts_with(&format!("{metric}{{"))).count(),
                1,
                "{metric}"
            );
            assert_eq!(page.matches(&format!("# HELP {metric} ")).count(), 1, "{metric}");
        }
        assert_eq!(page.matches("eip_ready_report_timestamp_seconds{").count(), 2);
        assert!(page.ends_with('\n'));
    }
}
