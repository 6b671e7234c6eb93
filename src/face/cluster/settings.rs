//! What the cluster's settings mean for a failover: how long it takes, and what makes it slower or worse. Pure.

use std::borrow::Cow;
use std::time::Duration;

use jiff::SignedDuration;
use serde::Serialize;

use super::attributes::{attributes, score, undecided};
use super::cib::{Cib, Configuration};
use super::xml::XmlElement;
use crate::base::text::{boolean, brief};
use crate::ocf::agent::{self, Agent};

/// Longest Corosync token without a warning: the default of 3.1.
const USUAL_TOKEN: Duration = Duration::from_secs(3);
/// Corosync's token for fast detection, as in the example `fast.sh`.
const FAST_TOKEN: Duration = Duration::from_secs(1);
/// Longest monitor interval without a warning.
const USUAL_MONITOR: Duration = Duration::from_mins(1);
/// The subject of the line about the time of a failover.
pub const FAILOVER: &str = "failover time";
/// The subject of the line about live moves.
pub const LIVE_MOVES: &str = "live moves";
const MONITOR: &str = "monitor";
const STICKY: &str = "stickiness";
const FENCING: &str = "fencing";
/// The meta attribute that keeps a resource where it is.
const STICKINESS: &str = "resource-stickiness";
/// Interval of a monitor as recommended; a healthy one makes no EC2 call.
const FAST_MONITOR: Duration = Duration::from_secs(10);

/// One result of `eipctl check`, as it is printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// The subject: `parameters`, `credentials`, ...
    pub subject: Cow<'static, str>,
    /// `ok`, `warn`, `FAIL`, or `-` if unknown.
    pub verdict: &'static str,
    /// The finding, as a sentence for a person.
    pub text: String,
    /// How to correct it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl CheckResult {
    /// It is as it should be.
    pub fn ok(subject: &'static str, text: impl Into<String>) -> Self {
        Self { subject: subject.into(), verdict: "ok", text: text.into(), remedy: None }
    }

    fn warn(subject: &'static str, text: impl Into<String>, remedy: &str) -> Self {
        Self { subject: subject.into(), verdict: "warn", text: text.into(), remedy: Some(remedy.to_owned()) }
    }

    /// It makes a failover impossible or wrong.
    pub fn fail(subject: &'static str, text: String, remedy: String) -> Self {
        Self { subject: subject.into(), verdict: "FAIL", text, remedy: Some(remedy) }
    }

    fn ok_if(is_fine: bool, subject: &'static str, text: String, remedy: &str) -> Self {
        if is_fine { Self::ok(subject, text) } else { Self::warn(subject, text, remedy) }
    }

    /// It could not be examined, for this reason.
    pub fn unknown(subject: &'static str, reason: &str) -> Self {
        Self { subject: subject.into(), verdict: "-", text: reason.to_owned(), remedy: None }
    }
}

/// A resource of class `stonith`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FencingDevice {
    id: String,
    agent: String,
    /// `skip_os_shutdown` of `fence_aws`, if it is set.
    skips_shutdown: Option<bool>,
}

/// The settings of a cluster that matter to one resource.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    agent: &'static Agent,
    /// Corosync's token; a reason if it is unknown.
    token: Result<Duration, String>,
    /// Interval of the most frequent monitor; `None` if nothing monitors, a reason if an interval is unreadable.
    monitor: Result<Option<Duration>, String>,
    /// `resource-stickiness`, if it is set; a reason if it is not decided.
    stickiness: Result<Option<String>, String>,
    live: Option<bool>,
    nodes: usize,
    /// Whether a node that is cut off resets itself, which devices may complement; `None` if the cluster does not fence.
    by_watchdog: Option<bool>,
    /// Whether one of two nodes waits before it fences the other.
    has_delay: bool,
    devices: Vec<FencingDevice>,
}

impl ClusterSettings {
    /// Reads the configuration, and the output of `corosync-cmapctl` for `runtime.config.totem.token`.
    ///
    /// # Errors
    /// That the configuration has no such resource.
    pub fn of(cib: &Cib, token: Result<&str, &str>, resource: &str) -> Result<Self, String> {
        let missing = || format!("it has no resource {resource}");
        let primitive = cib.primitive(resource).ok_or_else(missing)?;
        let address = cib.addresses.iter().find(|one| one.id == resource).ok_or_else(missing)?;
        let property = |names: &[&str]| names.iter().find_map(|name| cib.property(name));
        let is_set = |value: Option<&str>| value.and_then(interval).is_some_and(|time| !time.is_zero());
        // Pacemaker 3.0.2 renamed the option, and ignores the old name if the new one is set.
        let fences = property(&["fencing-enabled", "stonith-enabled"]);
        let fences = fences.is_none_or(|value| boolean(value).unwrap_or(true));
        let watchdog = property(&["fencing-watchdog-timeout", "stonith-watchdog-timeout"]);
        let stickiness = cib.meta(&primitive, STICKINESS).map(|stickiness| match stickiness.decided() {
            Some(value) => Ok(value.to_owned()),
            None => Err(undecided(STICKINESS)),
        });
        let mut fencing = cib.document.all("primitive");
        fencing.retain(|one| one.attribute("class") == "stonith");
        Ok(Self {
            agent: address.agent,
            token: token.map_err(str::to_owned).and_then(parse_token),
            monitor: monitor(&primitive.own),
            stickiness: stickiness.transpose(),
            live: address.configuration.live,
            nodes: cib.document.all("nodes").into_iter().flat_map(|nodes| nodes.all("node")).count(),
            by_watchdog: fences.then(|| is_set(watchdog)),
            has_delay: is_set(cib.property("priority-fencing-delay"))
                || fencing.iter().any(|one| is_delayed(one)),
            devices: fencing.into_iter().map(FencingDevice::of).collect(),
        })
    }

    /// Time from the death of a node to the start on another one without fencing: the rule of thumb of `fast.sh`.
    fn failover(token: Duration) -> Duration {
        token.mul_f64(2.2) + Duration::from_secs(1)
    }

    /// One line for each subject.
    pub fn findings(&self) -> Vec<CheckResult> {
        let unknown = |subject| move |reason: &String| CheckResult::unknown(subject, reason);
        let mut findings = vec![
            self.about_failover().unwrap_or_else(unknown(FAILOVER)),
            self.about_monitor().unwrap_or_else(unknown(MONITOR)),
            self.about_stickiness().unwrap_or_else(unknown(STICKY)),
        ];
        findings.extend(self.about_fencing());
        findings
    }

    fn about_failover(&self) -> Result<CheckResult, &String> {
        let token = *self.token.as_ref()?;
        let fencing = if self.by_watchdog.is_none() { "" } else { ", and fencing on top" };
        let (seconds, ms) = (Self::failover(token).as_secs_f64(), token.as_millis());
        let text = format!("{seconds:.1} s after a node dies (2.2 x token {ms} ms + 1 s){fencing}");
        let remedy = "set a token of 1000 to 3000 ms, see fast.sh in pcs-examples";
        Ok(CheckResult::ok_if(token <= USUAL_TOKEN, FAILOVER, text, remedy))
    }

    fn about_monitor(&self) -> Result<CheckResult, &String> {
        const REMEDY: &str = "op monitor interval=10s timeout=20s; it makes no EC2 call while all is well";
        let Some(time) = *self.monitor.as_ref()? else {
            return Ok(CheckResult::warn(MONITOR, "none: a lost address is never noticed", REMEDY));
        };
        let text = format!("every {0} s: a lost address is noticed within {0} s", time.as_secs_f64());
        Ok(CheckResult::ok_if(time <= USUAL_MONITOR, MONITOR, text, REMEDY))
    }

    fn about_stickiness(&self) -> Result<CheckResult, &String> {
        let value = self.stickiness.as_ref()?.as_deref();
        let text = value.map_or("none".to_owned(), |value| format!("{STICKINESS}={}", brief(value, 80)));
        if value.is_some_and(|value| score(value) > 0) {
            return Ok(CheckResult::ok(STICKY, text));
        }
        Ok(CheckResult::warn(
            STICKY,
            format!("{text}: after a failover the address may move back as soon as its old node returns"),
            "crm_attribute --type rsc_defaults --name resource-stickiness --update 1",
        ))
    }

    fn about_fencing(&self) -> Vec<CheckResult> {
        let overlay = self.agent.name == agent::OVERLAY_IP.name;
        let warn = |text, remedy| vec![CheckResult::warn(FENCING, text, remedy)];
        let examples = "see fencing.sh in pcs-examples";
        match (self.by_watchdog, self.devices.as_slice()) {
            (None, _) if overlay => {
                warn("off: nodes that cannot see each other take the routes from each other", examples)
            }
            (None, _) => {
                let text =
                    "off: EC2 lets only one node hold the address, but the service behind it may run twice";
                vec![CheckResult::ok(FENCING, text)]
            }
            (Some(true), []) => vec![CheckResult::ok(FENCING, "on, by watchdog")],
            (Some(false), []) => warn(
                "on, but there is no fencing device: Pacemaker starts nothing",
                "see fencing.sh in pcs-examples, or set stonith-enabled=false",
            ),
            (_, devices) => {
                let mut findings: Vec<_> = devices.iter().map(FencingDevice::finding).collect();
                if self.nodes == 2 && !self.has_delay {
                    findings.extend(warn(
                        "two nodes and no delay: if they lose each other, each may fence the other",
                        "set priority-fencing-delay=15s and a priority, or pcmk_delay_max",
                    ));
                }
                findings
            }
        }
    }

    /// What would make a failover or a planned move faster, a sentence each.
    pub fn faster(&self) -> Vec<String> {
        let mut sentences = Vec::new();
        if let Some(token) = self.token.as_ref().ok().filter(|token| **token > FAST_TOKEN) {
            let (now, fast) =
                (Self::failover(*token).as_secs_f64(), Self::failover(FAST_TOKEN).as_secs_f64());
            let ms = token.as_millis();
            sentences.push(format!(
                "Corosync's token is {ms} ms: the start follows a node's death after about {now:.1} s. With 1000 ms it is \
                 {fast:.1} s; fast.sh in pcs-examples has the arithmetic and the risk."
            ));
        }
        match self.monitor {
            Ok(Some(time)) if time > FAST_MONITOR => sentences.push(format!(
                "The monitor runs every {} s, so noticing a lost address can take that long. With interval=10s it is 10 s, and \
                 a healthy monitor makes no EC2 call.",
                time.as_secs_f64()
            )),
            Ok(None) => sentences
                .push("There is no monitor, so a lost address is never noticed: op monitor interval=10s.".to_owned()),
            Ok(Some(_)) | Err(_) => {}
        }
        if self.live == Some(false) {
            sentences.push(
                "allow-migrate is not set: a planned move is a stop and a start. With it, a planned move is one EC2 call, and the \
                 address always has a holder."
                    .to_owned(),
            );
        }
        if let Some(device) = self.devices.iter().find(|one| one.skips_shutdown == Some(false)) {
            sentences.push(format!(
                "{} has skip_os_shutdown=false: a failover waits for the shutdown of the dead node's instance.",
                brief(&device.id, 80)
            ));
        }
        sentences
    }
}

impl FencingDevice {
    fn of(primitive: &XmlElement) -> Self {
        let skips = attributes([primitive], "instance_attributes").remove("skip_os_shutdown");
        Self {
            id: primitive.attribute("id").to_owned(),
            agent: primitive.attribute("type").to_owned(),
            skips_shutdown: skips.and_then(|attribute| boolean(attribute.value)),
        }
    }

    fn finding(&self) -> CheckResult {
        let (id, agent) = (brief(&self.id, 80), brief(&self.agent, 80));
        let text = match self.skips_shutdown {
            _ if self.agent != "fence_aws" => format!("{id} ({agent})"),
            Some(true) => format!(
                "{id} ({agent}): skip_os_shutdown=true, an instance stops within seconds and loses unwritten data"
            ),
            Some(false) => format!(
                "{id} ({agent}): skip_os_shutdown=false, a failover waits for the operating system's shutdown"
            ),
            None => format!(
                "{id} ({agent}): skip_os_shutdown is not set, so true since August 2025 (stops within seconds, loses unwritten \
                 data) and false before"
            ),
        };
        CheckResult::ok(FENCING, text)
    }
}

/// Whether a fencing device waits before it fences a node. A list of delays by node counts too: `n1:10s;n2:0s`.
fn is_delayed(device: &XmlElement) -> bool {
    let set = attributes([device], "instance_attributes");
    let delays = ["pcmk_delay_max", "pcmk_delay_base"].into_iter().filter_map(|name| set.get(name));
    delays.map(|delay| interval(delay.value)).any(|time| time.is_none_or(|time| !time.is_zero()))
}

/// Whether the cluster moves a resource live, and whether another node may then take its address, which the parameter
/// `may_take` says.
pub fn live_moves(configuration: &Configuration, taking: bool, may_take: &str) -> CheckResult {
    const STOPPED: &str = "allow-migrate is not set: a planned move is a stop and a start";
    if let Some(bundle) = &configuration.bundle {
        return CheckResult::ok(
            LIVE_MOVES,
            format!("none in the bundle {bundle}: it moves with its container"),
        );
    }
    match (configuration.live, taking) {
        (None, _) => CheckResult::unknown(LIVE_MOVES, &undecided("allow-migrate")),
        (Some(true), true) => CheckResult::ok(LIVE_MOVES, "allow-migrate=true: a planned move is one call"),
        (Some(false), true) => {
            CheckResult::warn(LIVE_MOVES, STOPPED, "set meta allow-migrate=true, and it is one call")
        }
        (Some(false), false) => CheckResult::ok(LIVE_MOVES, STOPPED),
        (Some(true), false) => CheckResult::fail(
            LIVE_MOVES,
            format!("allow-migrate=true, but with {may_take}=false no other node may take the address"),
            format!("remove allow-migrate, or set {may_take}=true"),
        ),
    }
}

/// Parses `runtime.config.totem.token (u32) = 1000`.
fn parse_token(text: &str) -> Result<Duration, String> {
    let milliseconds = text.rsplit('=').next().and_then(|number| number.trim().parse().ok());
    let token = milliseconds.map(Duration::from_millis);
    token.ok_or_else(|| format!("corosync-cmapctl: unreadable answer: {}", brief(text, 80)))
}

/// The interval of the most frequent monitor that runs while the resource is started; `own` is a primitive and its template.
fn monitor(own: &[&XmlElement]) -> Result<Option<Duration>, String> {
    let runs_if_started = |op: &&XmlElement| {
        let role = op.attribute("role");
        op.attribute("name") == "monitor" && (role.is_empty() || role.eq_ignore_ascii_case("started"))
    };
    // The monitors of the primitive replace those of its template.
    let mut operations = Vec::new();
    for one in own {
        if operations.is_empty() {
            operations = one.all("op");
            operations.retain(runs_if_started);
        }
    }
    operations.retain(|op| boolean(op.attribute("enabled")) != Some(false));
    let time = |op: &XmlElement| {
        let text = op.attribute("interval");
        interval(text).ok_or_else(|| format!("unreadable interval: {}", brief(text, 80)))
    };
    let intervals = operations.into_iter().map(time).collect::<Result<Vec<_>, _>>()?;
    Ok(intervals.into_iter().filter(|interval| !interval.is_zero()).min())
}

/// Parses an interval as Pacemaker writes them: `10`, `10s`, `500ms`, `5min`, `PT1M30S`. A duration in days or longer units is
/// not read.
fn interval(text: &str) -> Option<Duration> {
    let text = text.trim().to_ascii_lowercase();
    let seconds = text.parse().ok().map(Duration::from_secs);
    seconds.or_else(|| text.parse::<SignedDuration>().ok()?.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same cluster as Pacemaker 1.1.24, 2.1.5 and 3.0.3 write it, shortened.
    const FORMS: [&str; 3] = [
        include_str!("fixtures/cib-1.1.24.xml"),
        include_str!("fixtures/cib-2.1.5.xml"),
        include_str!("fixtures/cib-3.0.3.xml"),
    ];
    const TOKEN: &str = "runtime.config.totem.token (u32) = 1000\n";

    fn settings(cib: &str, token: Result<&str, &str>) -> Result<ClusterSettings, String> {
        Cib::parse(cib).and_then(|cib| ClusterSettings::of(&cib, token, "eip"))
    }

    /// Verdict and text of each subject, in one string.
    fn told(cib: &str, token: Result<&str, &str>) -> String {
        let settings = settings(cib, token).unwrap();
        let line = |one: CheckResult| {
            let remedy = one.remedy.map(|remedy| format!(": {remedy}")).unwrap_or_default();
            format!("{} {}: {}{remedy}\n", one.verdict, one.subject, one.text)
        };
        settings.findings().into_iter().map(line).collect()
    }

    #[test]
    fn the_settings_are_read_in_the_form_of_each_pacemaker() {
        for cib in FORMS {
            let told = told(cib, Ok(TOKEN));
            let expected = "ok failover time: 3.2 s after a node dies (2.2 x token 1000 ms + 1 s), and fencing on top\n\
                ok monitor: every 10 s: a lost address is noticed within 10 s\n\
                ok stickiness: resource-stickiness=1\n\
                ok fencing: fence (fence_aws): skip_os_shutdown=true, an instance stops within seconds and loses unwritten data\n";
            assert_eq!(told, expected, "{cib}");
            let settings = settings(cib, Ok(TOKEN)).unwrap();
            assert_eq!(settings.faster(), Vec::<String>::new());
        }
    }

    #[test]
    fn each_setting_that_costs_time_or_the_address_is_a_warning() {
        // A text in the configuration, its replacement, and the resulting warning.
        let rows = [
            (r#"interval="10s""#, r#"interval="5min""#, "warn monitor: every 300 s"),
            (r#"name="monitor""#, r#"name="promote""#, "warn monitor: none: a lost address is never noticed"),
            (r#"name="resource-stickiness""#, r#"name="x""#, "warn stickiness: none"),
            (r#"class="stonith""#, r#"class="ocf""#, "warn fencing: on, but there is no fencing device"),
            (r#"name="pcmk_delay_max""#, r#"name="x""#, "warn fencing: two nodes and no delay"),
            (
                r#"name="skip_os_shutdown""#,
                r#"name="x""#,
                "ok fencing: fence (fence_aws): skip_os_shutdown is not set",
            ),
            (
                r#"name="skip_os_shutdown" value="true""#,
                r#"name="skip_os_shutdown" value="false""#,
                "skip_os_shutdown=false, a failover waits",
            ),
            (r#"type="fence_aws""#, r#"type="external/ec2""#, "ok fencing: fence (external/ec2)"),
        ];
        for (cib, (from, to, expected)) in FORMS.iter().flat_map(|cib| rows.map(|row| (cib, row))) {
            assert!(cib.contains(from), "{from}");
            let told = told(&cib.replace(from, to), Ok(TOKEN));
            assert!(told.contains(expected), "{to}: {told}");
        }
        let slow = told(FORMS[1], Ok("runtime.config.totem.token (u32) = 30000"));
        assert!(slow.contains("warn failover time: 67.0 s after"), "{slow}");
        let unknown = told(FORMS[1], Err("corosync-cmapctl is not installed"));
        assert!(unknown.contains("- failover time: corosync-cmapctl is not installed"), "{unknown}");
    }

    /// [ctl-10]
    #[test]
    fn a_monitor_that_never_runs_is_not_ok_and_one_that_runs_is_not_missed() {
        const OWN: &str =
            r#"<op id="eip-monitor-interval-10s" name="monitor" interval="10s" timeout="20s"/>"#;
        const NONE: &str = "warn monitor: none: a lost address is never noticed";
        // What stands in the place of the monitor, and the resulting line.
        let rows = [
            (r#"<op id="m" name="monitor" interval="0s"/>"#, NONE),
            (r#"<op id="m" name="monitor" interval="10s" enabled="false"/>"#, NONE),
            (r#"<op id="m" name="monitor" interval="10s" role="Stopped"/>"#, NONE),
            (r#"<op id="m" name="monitor" interval="10s" role="Promoted"/>"#, NONE),
            (r#"<op id="m" name="monitor" interval="PT1M30S"/>"#, "warn monitor: every 90 s"),
            (r#"<op id="m" name="monitor" interval="500ms"/>"#, "ok monitor: every 0.5 s"),
            (r#"<op id="m" name="monitor" interval="P1D"/>"#, "- monitor: unreadable interval: P1D"),
            (
                r#"<op id="l" name="monitor" interval="60s"/><op id="m" name="monitor" interval="20s" role="Started"/>
                <op id="n" name="monitor" interval="5s" role="Stopped"/><op id="p" name="monitor" interval="0"/>"#,
                "ok monitor: every 20 s",
            ),
        ];
        let cib = FORMS[1];
        assert!(cib.contains(OWN));
        for (operation, expected) in rows {
            let told = told(&cib.replace(OWN, operation), Ok(TOKEN));
            assert!(told.contains(expected), "{operation}: {told}");
        }
        let template = r#"<template id="t" class="ocf" provider="heartbeat" type="eip"><operations>
            <op id="t-m" name="monitor" interval="5s"/></operations></template><group id="service">"#;
        let with = |cib: &str| {
            let cib = cib.replace(r#"class="ocf" provider="heartbeat" type="eip">"#, r#"template="t">"#);
            cib.replace(r#"<group id="service">"#, template)
        };
        assert!(told(&with(cib), Ok(TOKEN)).contains("ok monitor: every 10 s"));
        assert!(told(&with(&cib.replace(OWN, "")), Ok(TOKEN)).contains("ok monitor: every 5 s"));
    }

    /// [ctl-10]
    #[test]
    fn a_stickiness_that_holds_nothing_is_a_warning() {
        let with = |value: &str| {
            let from = r#"name="resource-stickiness" value="1""#;
            assert!(FORMS[1].contains(from));
            let cib = FORMS[1].replace(from, &format!(r#"name="resource-stickiness" value="{value}""#));
            told(&cib, Ok(TOKEN))
        };
        for value in ["0", "-1", "-INFINITY"] {
            let told = with(value);
            assert!(told.contains(&format!("warn stickiness: resource-stickiness={value}: after")), "{told}");
        }
        for value in ["1", "+100", "INFINITY"] {
            assert!(with(value).contains("ok stickiness"), "{value}");
        }
    }

    /// [ctl-10]
    #[test]
    fn settings_by_a_rule_that_cannot_be_evaluated_are_not_known() {
        let set = r#"<meta_attributes id="build-resource-defaults">"#;
        let rule = r#"<rule id="r" score="0"><rsc_expression id="e" type="eip"/></rule>"#;
        assert!(FORMS[1].contains(set));
        let told = told(&FORMS[1].replace(set, &format!("{set}{rule}")), Ok(TOKEN));
        let expected = "- stickiness: resource-stickiness depends on a rule that only Pacemaker can evaluate";
        assert!(told.contains(expected), "{told}");
        let unknown = Configuration { live: None, ..Configuration::default() };
        assert_eq!(live_moves(&unknown, false, "allow_reassociation").verdict, "-");
    }

    /// Pacemaker never moves what is inside a bundle live, and `check` advised `allow-migrate=true`.
    #[test]
    fn no_live_move_is_expected_inside_a_bundle() {
        for live in [Some(false), Some(true)] {
            let inside = Configuration { live, bundle: Some("web".to_owned()), ..Configuration::default() };
            let line = live_moves(&inside, true, "allow_reassociation");
            assert_eq!(
                (line.verdict, &*line.text),
                ("ok", "none in the bundle web: it moves with its container")
            );
        }
    }

    #[test]
    fn fencing_that_is_off_is_a_warning_for_an_overlay_address_alone() {
        for (cib, name) in FORMS.into_iter().zip(["stonith-enabled", "stonith-enabled", "fencing-enabled"]) {
            let off = cib.replace(
                &format!(r#"name="{name}" value="true""#),
                &format!(r#"name="{name}" value="false""#),
            );
            assert!(
                told(&off, Ok(TOKEN)).contains("ok fencing: off: EC2 lets only one node hold the address")
            );
            let overlay = off.replace(r#"type="eip""#, r#"type="overlay-ip""#);
            assert!(
                told(&overlay, Ok(TOKEN)).contains("warn fencing: off: nodes that cannot see each other")
            );
        }
    }

    #[test]
    fn what_would_make_it_faster_follows_from_the_settings() {
        let slow = FORMS[1].replace(r#"interval="10s""#, r#"interval="60""#);
        let slow = slow
            .replace("allow-migrate", "x")
            .replace(r#"skip_os_shutdown" value="true""#, r#"skip_os_shutdown" value="no""#);
        let settings = settings(&slow, Ok("runtime.config.totem.token (u32) = 3000")).unwrap();
        let faster = settings.faster();
        let parts = [
            "3000 ms: the start follows a node's death after about 7.6 s",
            "every 60 s",
            "allow-migrate",
            "fence has skip",
        ];
        assert_eq!(faster.len(), parts.len(), "{faster:?}");
        for (sentence, part) in faster.iter().zip(parts) {
            assert!(sentence.contains(part), "{sentence}");
        }
    }

    #[test]
    fn what_is_not_a_configuration_of_the_resource_is_an_error() {
        for (cib, part) in [("", "truncated"), ("<cib/>", "no resources"), (FORMS[1], "no resource web")] {
            let found = Cib::parse(cib).and_then(|cib| ClusterSettings::of(&cib, Ok(TOKEN), "web"));
            assert!(found.unwrap_err().contains(part), "{part}");
        }
        let times = ["10", "10s", "500ms", "5min", "PT1M", "PT1M30S", "2h", "soon", "-PT1M"].map(interval);
        let seconds = times.map(|time| time.map(|time| time.as_secs_f64()));
        let expected = [Some(10.0), Some(10.0), Some(0.5), Some(300.0), Some(60.0), Some(90.0), Some(7200.0)];
        assert_eq!(seconds, [expected.as_slice(), &[None, None]].concat().as_slice());
    }
}
