//! `eipctl check`: whether this node could take over an address, one line per prerequisite.

use std::time::Duration;

use super::call::{Failure, Invocation, print, print_json};
use super::options::JSON;
use super::subject::Subject;
use super::surroundings;
use crate::base::text::one_line;
use crate::cloud::{Imds as _, client};
use crate::face::cluster::cib::{Cib, ConfiguredAddress};
use crate::face::cluster::settings::{CheckResult, FAILOVER, LIVE_MOVES, live_moves};
use crate::face::cluster::tools::{BRIEF_LIMIT, Tools};
use crate::resource::finding::{Finding, Verdict};
use crate::resource::kind::Kind;
use crate::resource::{Action, op};
use crate::with_kind;
use crate::world::{self, RealWorld};

/// Time limit for querying IMDS for the region.
const REGION_LIMIT: Duration = Duration::from_secs(3);

/// A finding as it is printed.
fn result(finding: &Finding) -> CheckResult {
    let (verdict, text) = match &finding.verdict {
        Verdict::Good(text) => ("ok", text.clone()),
        Verdict::Warning(text) => ("warn", text.clone()),
        Verdict::Failure(error) => ("FAIL", error.to_string()),
        Verdict::Unknown(text) => ("-", text.clone()),
    };
    CheckResult {
        subject: finding.subject.into(),
        verdict,
        text,
        remedy: finding.remedy().map(str::to_owned),
    }
}

fn show(line: &CheckResult) -> String {
    let remedy = line.remedy.as_ref().map(|remedy| format!(": {remedy}")).unwrap_or_default();
    let line = format!("{:4}  {:20}  {}{remedy}", line.verdict, line.subject, line.text);
    format!("{}\n", one_line(&line))
}

/// What the cluster's configuration means for its resource with this address.
fn cluster<K: Kind<RealWorld>>(
    invocation: &Invocation<'_>,
    subject: &Subject,
) -> Result<Vec<CheckResult>, String> {
    let found = subject.configured.as_ref().map_err(Clone::clone)?;
    let found = found.as_ref().ok_or("needs a cluster resource with this address")?;
    let configuration = &found.configuration;
    let live = match (configuration.undecided(), K::parse(&configuration.parameters)) {
        (Some(reason), _) => CheckResult::unknown(LIVE_MOVES, &reason),
        (None, Err(error)) => CheckResult::unknown(LIVE_MOVES, &format!("{}: {error}", found.id)),
        (None, Ok(params)) => live_moves(configuration, K::common(&params).may_take, K::WORDS.may_take),
    };
    let mut lines = vec![live];
    match invocation.tools(BRIEF_LIMIT).settings(&found.id) {
        Ok(settings) => lines.extend(settings.findings()),
        Err(reason) => lines.push(CheckResult::unknown(FAILOVER, &reason)),
    }
    Ok(lines)
}

/// What each node reports about this resource, what keeps it off a node, and what else the configuration has against it.
fn opinions(cib: &Cib, tools: &Tools, found: &ConfiguredAddress) -> Vec<CheckResult> {
    let resource = found.id.as_str();
    let now = world::now().as_secs();
    let status = tools.status().ok();
    let mut lines = Vec::new();
    for (node, state) in &cib.nodes {
        // The state of a node that was removed stays in the CIB.
        if status.as_ref().is_some_and(|status| status.nodes.iter().all(|one| one.name != *node)) {
            continue;
        }
        if let Some(ban) = status.as_ref().and_then(|status| found.ban(status, node)) {
            let verdict = if tools.node_name().as_ref() == Some(node) { "FAIL" } else { "warn" };
            lines.push(of_node(node, verdict, ban));
        }
        let (verdict, text) = match state.report(resource) {
            None => ("-", "(not reported): ocf:heartbeat:eip-health is not running there".to_owned()),
            Some(Err(reason)) => ("-", reason),
            Some(Ok(report)) => {
                let age = now.saturating_sub(report.at);
                let (verdict, word) = match report.ready {
                    Some(true) => ("ok", "ready"),
                    Some(false) => ("warn", "not ready"),
                    None => ("-", "not known"),
                };
                let verdict = if report.is_fresh(now) { verdict } else { "-" };
                (verdict, format!("{word} {age} s ago: {}", report.reason))
            }
        };
        lines.push(of_node(node, verdict, text));
    }
    for double in cib.addresses.iter().filter(|one| one.is_double_of(found)) {
        let text = format!("{} has this address too, one would take it from the other", double.id);
        lines.push(CheckResult::fail("same address", text, "give each resource its own".to_owned()));
    }
    for (health, obstacle) in cib.colouring() {
        if let Some(obstacle) = obstacle {
            let text = format!("{health}: node_health=true has no effect");
            lines.push(CheckResult::fail("node health", text, obstacle.to_owned()));
        }
    }
    lines
}

fn of_node(node: &str, verdict: &'static str, text: String) -> CheckResult {
    CheckResult { subject: format!("node {node}").into(), verdict, text, remedy: None }
}

/// Prints each result as it arrives; fails if any of them is a failure.
pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let subject = Subject::of(invocation)?;
    let for_programs = invocation.is_set(JSON);
    let mut lines = Vec::new();
    let mut report = |line: CheckResult| {
        if !for_programs {
            // A closed reader does not change the results.
            let _ = print(&show(&line));
        }
        lines.push(line);
    };
    with_kind!(subject.agent, K => check::<K>(invocation, &subject, &mut report))?;
    if let Ok(Some(found)) = &subject.configured {
        // Without an answer from the cluster, the line about live moves has the reason.
        let tools = invocation.tools(BRIEF_LIMIT);
        for line in tools.cib().iter().flat_map(|cib| opinions(cib, &tools, found)) {
            report(line);
        }
    }
    if for_programs {
        print_json(&lines)?;
    }
    // The failures have already been printed, one per line.
    if lines.iter().any(|line| line.verdict == "FAIL") { Err(Failure::Reported) } else { Ok(()) }
}

fn check<K: Kind<RealWorld>>(
    invocation: &Invocation<'_>,
    subject: &Subject,
    report: &mut dyn FnMut(CheckResult),
) -> Result<(), Failure> {
    match subject.configuration.undecided() {
        Some(reason) => report(CheckResult::unknown("parameters", &reason)),
        None => examine::<K>(invocation, subject, report)?,
    }
    let unknown =
        |reason: String| [LIVE_MOVES, FAILOVER].map(|subject| CheckResult::unknown(subject, &reason)).into();
    cluster::<K>(invocation, subject).unwrap_or_else(unknown).into_iter().for_each(report);
    Ok(())
}

/// Examines this node with the parameters of the subject.
fn examine<K: Kind<RealWorld>>(
    invocation: &Invocation<'_>,
    subject: &Subject,
    report: &mut dyn FnMut(CheckResult),
) -> Result<(), Failure> {
    let (request, world) = subject.query::<K>(invocation, Action::Validate { level: 10 })?;
    let text = format!("{} and the options are valid", subject.address);
    report(CheckResult::ok("parameters", text));
    let environment = invocation.environment_of(subject.resource());
    let common = K::common(&request.params);
    let (settings, _) =
        world::settings(common.api, common.timing, &environment, invocation.deadline.budget());
    invocation.run(async {
        let limit = invocation.deadline.within(REGION_LIMIT);
        let region = match &settings.region {
            Some(region) => Some(region.clone()),
            None => limit.bound(world.imds.region()).await.ok().and_then(Result::ok),
        };
        let endpoint = client::ec2_endpoint(&settings, region).await;
        let folders = world.records.folders();
        let (agent, deadline) = (subject.agent, &invocation.deadline);
        let seen = surroundings::observe(agent, &environment, &settings, endpoint, folders, deadline).await;
        op::<K, _>(&world, &request).examine_all(&seen, &mut |finding| report(result(&finding))).await;
        Ok(())
    })
}
