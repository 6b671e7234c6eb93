//! What there is to announce, from what Pacemaker passes to an alert agent and from this node's history.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::base::deadline::millis;
use crate::base::text::one_line;
use crate::ocf::environment::Environment;
use crate::state::alerts::Loss;
use crate::state::{Change, PhaseTime};

/// How old a change may be that is announced: an older one is not what Pacemaker has just reported.
const LONGEST_DELAY: Duration = Duration::from_mins(5);
/// How long after the loss of a node its address is still taken over because of that. Fencing can take minutes.
const LONGEST_TAKEOVER: Duration = Duration::from_mins(10);

/// An event of the cluster that concerns this program.
#[derive(Debug, PartialEq, Eq)]
pub enum AlertEvent {
    /// A node was lost.
    Lost(Loss),
    /// A node is a member again, under this name.
    Joined(String),
    /// A resource was started here, or moved here live.
    Started {
        /// Id of the resource in the configuration.
        resource: String,
        /// The cluster's name for the node.
        node: String,
    },
    /// An event that is ignored.
    Other,
}

impl AlertEvent {
    /// The event in the environment, at a time in milliseconds since 1970; `None` if Pacemaker passed none.
    ///
    /// # Source
    /// Pacemaker Explained, "Alerts", "Writing an alert agent": `CRM_alert_*`.
    pub fn of(environment: &Environment, now: u64) -> Option<Self> {
        let text = |name: &str| environment.get(&format!("CRM_alert_{name}")).unwrap_or_default();
        let owned = |name: &str| text(name).to_owned();
        Some(match (environment.get("CRM_alert_kind")?, text("desc"), text("task"), text("rc")) {
            ("node", "lost", _, _) => {
                let seconds = text("timestamp_epoch").parse::<u64>().ok();
                let micros = text("timestamp_usec").parse::<u64>().unwrap_or_default();
                let ms = |seconds: u64| seconds.saturating_mul(1000).saturating_add(micros / 1000);
                let at_ms = seconds.map_or(now, ms);
                Self::Lost(Loss { node: owned("node"), at_ms })
            }
            ("node", "member", _, _) => Self::Joined(owned("node")),
            ("resource", _, "start" | "migrate_from", "0") => {
                Self::Started { resource: owned("rsc"), node: owned("node") }
            }
            _ => Self::Other,
        })
    }
}

/// A move, as it is announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announcement {
    /// Everything on one line. Chat services expect this key.
    pub text: String,
    resource: String,
    address: String,
    node: String,
    from: String,
    to: String,
    /// Why it moved, as far as this node knows.
    reason: String,
    action: String,
    /// When the action finished, in UTC, as RFC 3339.
    at: String,
    phases: Vec<PhaseTime>,
    took_ms: u64,
    /// How exact `outage_ms` is: `about`, `at most` or `at least`.
    outage: &'static str,
    outage_ms: u64,
}

/// The change to announce after a start of `resource` on `node`; `None` if that changed no holder, or is another node's.
pub fn newest<'h>(history: &'h [Change], node: &str, now: u64) -> Option<&'h Change> {
    let change = history.last()?;
    let is_new = now.abs_diff(change.at_ms) <= millis(LONGEST_DELAY);
    let is_ours = change.node.as_deref().is_none_or(|own| own == node);
    (is_new && is_ours && change.action != "stop").then_some(change)
}

impl Announcement {
    /// Of the last change in a history. A loss comes with how long it takes Corosync to notice one.
    pub fn new(
        resource: &str,
        node: &str,
        change: &Change,
        before: Option<&Change>,
        loss: Option<(&Loss, Duration)>,
    ) -> Self {
        // A lost node releases nothing, and a loss before the last change of this node has been dealt with.
        let was_released = change.from == "unassigned" || change.from.starts_with("this node");
        let loss = loss.filter(|(loss, _)| {
            let took = change.at_ms.checked_sub(loss.at_ms).map(Duration::from_millis);
            took.is_some_and(|took| took <= LONGEST_TAKEOVER)
                && before.is_none_or(|before| before.at_ms < loss.at_ms)
                && !was_released
        });
        let (reason, outage, outage_ms) = if change.action == "migrate_from" {
            // The old node served it until EC2 carried out the call.
            let moving = change.phases.iter().skip(1).map(|phase| phase.ms).sum::<u64>();
            (
                "live move".to_owned(),
                "at most",
                if change.phases.is_empty() { change.took_ms } else { moving },
            )
        } else if let Some((loss, noticed_after)) = loss {
            (format!("{} was lost", loss.node), "about", change.at_ms - loss.at_ms + millis(noticed_after))
        } else {
            // The stop on the other node is in the history of that.
            (change.action.clone(), "at least", change.took_ms)
        };
        let address = if change.address.is_empty() { resource } else { &change.address };
        let phases: Vec<String> =
            change.phases.iter().map(|PhaseTime { phase, ms }| format!("{phase} {ms} ms")).collect();
        let phases = if phases.is_empty() { format!("{} ms", change.took_ms) } else { phases.join(", ") };
        let text = format!(
            "{address} ({resource}) moved from {} to {} on {node}: {reason}; {phases}; outage {outage} {outage_ms} ms",
            change.from, change.to
        );
        let at = i64::try_from(change.at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Self {
            text: one_line(&text).into_owned(),
            resource: resource.to_owned(),
            address: address.to_owned(),
            node: node.to_owned(),
            from: change.from.clone(),
            to: change.to.clone(),
            reason,
            action: change.action.clone(),
            at: at.map(|at| at.to_string()).unwrap_or_default(),
            phases: change.phases.clone(),
            took_ms: change.took_ms,
            outage,
            outage_ms,
        }
    }

    /// The fields as variables for a command, all of them `EIP_ALERT_...`.
    pub fn variables(&self) -> Vec<(String, String)> {
        let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(self) else { return Vec::new() };
        let phases: Vec<String> =
            self.phases.iter().map(|PhaseTime { phase, ms }| format!("{phase}={ms}")).collect();
        let shown = |value: serde_json::Value| match value {
            serde_json::Value::String(text) => text,
            serde_json::Value::Array(_) => phases.join(" "),
            other => other.to_string(),
        };
        let named = |name: String| format!("EIP_ALERT_{}", name.to_ascii_uppercase());
        fields.into_iter().map(|(name, value)| (named(name), shown(value))).collect()
    }
}

/// How long Corosync takes to notice the loss of a node: the token and what the others take to agree (the consensus). Zero if its
/// configuration does not say.
///
/// # Source
/// corosync.conf(5): `token`, and `consensus`, by default 1.2 times that.
pub fn detection(corosync_conf: &str) -> Duration {
    let value = |name: &str| {
        let mut lines = corosync_conf.lines().filter_map(|line| line.trim().split_once(':'));
        lines
            .find_map(|(key, value)| (key.trim() == name).then(|| value.trim().parse::<u32>().ok())?)
            .map(u64::from)
    };
    let Some(token) = value("token") else { return Duration::ZERO };
    let consensus = value("consensus").unwrap_or(token / 5 * 6);
    Duration::from_millis(token + consensus)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(action: &str, at_ms: u64) -> Change {
        let phase = |phase: &str, ms| PhaseTime::new(phase, Duration::from_millis(ms));
        Change {
            at_ms,
            action: action.to_owned(),
            from: "i-1 (eni-1)".to_owned(),
            to: "i-2 on eni-2".to_owned(),
            association: None,
            took_ms: 90,
            address: "203.0.113.10".to_owned(),
            node: Some("n2".to_owned()),
            phases: vec![phase("looking", 5), phase("associate", 35), phase("confirm", 45)],
        }
    }

    fn event(variables: &[(&str, &str)]) -> Option<AlertEvent> {
        let variables =
            variables.iter().map(|(name, value)| (format!("CRM_alert_{name}").into(), (*value).into()));
        AlertEvent::of(&Environment::new(variables), 7_000)
    }

    /// [alert-3]
    #[test]
    fn only_a_start_or_a_live_move_that_succeeded_is_of_interest() {
        let resource = |task: &str, rc: &str| {
            event(&[
                ("kind", "resource"),
                ("rsc", "eip"),
                ("node", "n2"),
                ("task", task),
                ("rc", rc),
                ("desc", "ok"),
            ])
        };
        let started = Some(AlertEvent::Started { resource: "eip".to_owned(), node: "n2".to_owned() });
        assert_eq!(resource("start", "0"), started);
        assert_eq!(resource("migrate_from", "0"), started);
        for (task, rc) in
            [("start", "1"), ("stop", "0"), ("monitor", "0"), ("monitor", "7"), ("migrate_to", "0")]
        {
            assert_eq!(resource(task, rc), Some(AlertEvent::Other), "{task} {rc}");
        }
        assert_eq!(event(&[("kind", "fencing"), ("rc", "0")]), Some(AlertEvent::Other));
        assert_eq!(event(&[("rsc", "eip")]), None, "not called by Pacemaker");
    }

    #[test]
    fn the_loss_of_a_node_has_the_time_of_the_event_if_pacemaker_gives_it() {
        let lost = |more: &[(&str, &str)]| {
            event(&[&[("kind", "node"), ("desc", "lost"), ("node", "n1")], more].concat())
        };
        let expected = |at_ms| Some(AlertEvent::Lost(Loss { node: "n1".to_owned(), at_ms }));
        assert_eq!(lost(&[]), expected(7_000));
        assert_eq!(lost(&[("timestamp_epoch", "5"), ("timestamp_usec", "250999")]), expected(5_250));
        let largest = u64::MAX.to_string();
        assert_eq!(lost(&[("timestamp_epoch", &largest), ("timestamp_usec", &largest)]), expected(u64::MAX));
        let joined = event(&[("kind", "node"), ("desc", "member"), ("node", "n1")]);
        assert_eq!(joined, Some(AlertEvent::Joined("n1".to_owned())));
    }

    /// [alert-3] A start that found the address here made no change, and one of another node is in another history.
    #[test]
    fn a_change_is_announced_only_soon_after_it_and_on_its_node() {
        let history = [change("start", 1_000_000)];
        assert!(newest(&history, "n2", 1_000_200).is_some());
        assert!(newest(&history, "n1", 1_000_200).is_none());
        assert!(newest(&history, "n2", 1_400_000).is_none());
        assert!(newest(&[change("stop", 1_000_000)], "n2", 1_000_200).is_none());
        assert!(newest(&[], "n2", 1_000_200).is_none());
        let unnamed = Change { node: None, ..change("start", 1_000_000) };
        assert!(newest(&[unnamed], "n2", 1_000_200).is_some());
    }

    /// [alert-4]
    #[test]
    fn the_outage_is_estimated_from_what_this_node_knows() {
        let loss = Loss { node: "n1".to_owned(), at_ms: 997_000 };
        let told = |change: &Change, before: Option<&Change>, loss: Option<&Loss>| {
            let noticed = |loss| (loss, Duration::from_millis(200));
            let announcement = Announcement::new("eip", "n2", change, before, loss.map(noticed));
            (announcement.reason, announcement.outage, announcement.outage_ms)
        };
        let start = change("start", 1_000_000);
        assert_eq!(told(&start, None, Some(&loss)), ("n1 was lost".to_owned(), "about", 3_200));
        assert_eq!(told(&start, None, None), ("start".to_owned(), "at least", 90));
        // Lost before the last change, too long ago, or only after it.
        assert_eq!(told(&start, Some(&change("stop", 998_000)), Some(&loss)).1, "at least");
        assert_eq!(told(&start, Some(&change("stop", 1_000)), Some(&loss)).1, "about");
        assert_eq!(told(&change("start", 2_000_000), None, Some(&loss)).1, "at least");
        assert_eq!(told(&change("start", 996_000), None, Some(&loss)).1, "at least");
        assert_eq!(
            told(&change("migrate_from", 1_000_000), None, None),
            ("live move".to_owned(), "at most", 80)
        );
        let old = Change { phases: Vec::new(), ..change("migrate_from", 1_000_000) };
        assert_eq!(told(&old, None, None).2, 90);
    }

    /// [alert-4]
    #[test]
    fn a_live_move_or_a_move_after_a_stop_is_not_blamed_on_an_earlier_loss() {
        let loss = Loss { node: "n3".to_owned(), at_ms: 460_000 };
        let told = |action: &str, from: &str| {
            let change = Change { from: from.to_owned(), ..change(action, 1_000_000) };
            let announcement = Announcement::new("eip", "n2", &change, None, Some((&loss, Duration::ZERO)));
            (announcement.reason, announcement.outage)
        };
        assert_eq!(told("start", "i-3 (eni-3)"), ("n3 was lost".to_owned(), "about"));
        assert_eq!(told("migrate_from", "i-1 (eni-1)"), ("live move".to_owned(), "at most"));
        for from in ["unassigned", "this node, but on eni-2 (10.0.0.12)"] {
            assert_eq!(told("start", from), ("start".to_owned(), "at least"), "{from}");
        }
    }

    #[test]
    fn the_time_to_detection_is_that_of_corosyncs_configuration() {
        let detected = |text: &str| detection(text).as_millis();
        assert_eq!(
            detected("totem {\n    version: 2\n    token: 1000\n    token_retransmit: 238\n}\n"),
            2_200
        );
        assert_eq!(detected("totem {\n\tconsensus: 1500\n\ttoken:1000\n}\n"), 2_500);
        assert_eq!((detected("totem {\n# token: 1000\n}\n"), detected("token: soon")), (0, 0));
        assert_eq!(detected("token: 4294967295"), 9_448_928_049);
    }

    #[test]
    fn the_line_and_the_variables_have_every_field() {
        let announcement = Announcement::new("eip", "n2", &change("start", 1_000_000), None, None);
        assert_eq!(
            announcement.text,
            "203.0.113.10 (eip) moved from i-1 (eni-1) to i-2 on eni-2 on n2: start; looking 5 ms, associate 35 ms, \
             confirm 45 ms; outage at least 90 ms"
        );
        let variables = announcement.variables();
        let value = |name: &str| {
            variables.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str()).unwrap()
        };
        assert_eq!(value("EIP_ALERT_TEXT"), announcement.text);
        assert_eq!(value("EIP_ALERT_PHASES"), "looking=5 associate=35 confirm=45");
        assert_eq!((value("EIP_ALERT_OUTAGE_MS"), value("EIP_ALERT_AT")), ("90", "1970-01-01T00:16:40Z"));
        assert_eq!(variables.len(), 13);
    }
}
