//! `eipctl check`: whether this node could take over an address, one line per prerequisite.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::call::{Failure, Invocation, print, print_json};
use super::drill::configuration::ClusterReports;
use super::drill::tools::Tools;
use super::options::JSON;
use super::subject::{Subject, TOOLS_LIMIT};
use super::surroundings;
use crate::cloud::Imds as _;
use crate::resource::Action;
use crate::resource::examine::examine;
use crate::resource::finding::{Finding, Verdict};
use crate::resource::kind::Kind;
use crate::with_kind;
use crate::world::{self, RealWorld};

/// Time limit for querying IMDS for the region.
const REGION_LIMIT: Duration = Duration::from_secs(3);

/// One result as it is printed.
#[derive(Serialize)]
struct CheckResult {
    subject: Cow<'static, str>,
    verdict: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl CheckResult {
    fn new(finding: &Finding) -> Self {
        let (verdict, text) = match &finding.verdict {
            Verdict::Good(text) => ("ok", text.clone()),
            Verdict::Warning(text) => ("warn", text.clone()),
            Verdict::Failure(error) => ("FAIL", error.to_string()),
            Verdict::Unknown(text) => ("-", text.clone()),
        };
        Self { subject: finding.subject.into(), verdict, text, remedy: finding.remedy().map(str::to_owned) }
    }

    fn show(&self) -> String {
        let remedy = self.remedy.as_ref().map(|remedy| format!(": {remedy}")).unwrap_or_default();
        format!("{:4}  {:20}  {}{remedy}\n", self.verdict, self.subject, self.text)
    }
}

/// Whether a live move, if the cluster is configured for it, can succeed: the other node takes the address while this one has it.
fn live_moves<K: Kind<RealWorld>>(subject: &Subject) -> CheckResult {
    let may_take = K::WORDS.may_take;
    let (verdict, text, remedy) = match configuration::<K>(subject) {
        Err(reason) => ("-", reason, None),
        Ok((false, _)) => {
            ("ok", "allow-migrate is not set: a planned move is a stop and a start".to_owned(), None)
        }
        Ok((true, true)) => ("ok", "allow-migrate=true: a planned move is one call".to_owned(), None),
        Ok((true, false)) => (
            "FAIL",
            format!("allow-migrate=true, but with {may_take}=false no other node may take the address"),
            Some(format!("remove allow-migrate, or set {may_take}=true")),
        ),
    };
    CheckResult { subject: "live moves".into(), verdict, text, remedy }
}

/// Whether the cluster moves this resource live, and whether another node may then take its address.
fn configuration<K: Kind<RealWorld>>(subject: &Subject) -> Result<(bool, bool), String> {
    let configured = subject.configured.as_ref().map_err(Clone::clone)?;
    let found = configured.as_ref().ok_or("needs a resource of the cluster with this address")?;
    let params =
        K::parse(&found.configuration.parameters).map_err(|error| format!("{}: {error}", found.id))?;
    Ok((found.configuration.live, K::common(&params).may_take))
}

/// What each node reports about this resource, and whether the nodes' health may be set as configured.
fn opinions(reports: &ClusterReports, resource: &str) -> Vec<CheckResult> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut lines = Vec::new();
    for node in reports.attributes.keys() {
        let report = reports.on(resource).find(|(other, _)| other == node).map(|(_, report)| report);
        let (verdict, text) = match report {
            None => ("-", "(not reported): ocf:heartbeat:eip-health does not run there".to_owned()),
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
        lines.push(CheckResult { subject: format!("node {node}").into(), verdict, text, remedy: None });
    }
    for (health, obstacle) in &reports.colouring {
        if let Some(obstacle) = obstacle {
            let (subject, remedy) = ("node health".into(), Some((*obstacle).to_owned()));
            let text = format!("{health}: node_health=true has no effect");
            lines.push(CheckResult { subject, verdict: "FAIL", text, remedy });
        }
    }
    lines
}

/// Prints each result as it arrives; fails if any of them is a failure.
pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let subject = Subject::of(invocation)?;
    let for_programs = invocation.is_set(JSON);
    let mut lines = Vec::new();
    let mut report = |line: CheckResult| {
        if !for_programs {
            // A closed reader does not change the results.
            let _ = print(&line.show());
        }
        lines.push(line);
    };
    with_kind!(subject.agent, K => check::<K>(invocation, &subject, &mut report))?;
    if let Ok(Some(found)) = &subject.configured {
        let tools = Tools::new(invocation.environment(&found.id).get("PATH"), TOOLS_LIMIT);
        // Without an answer of the cluster the line about live moves says why.
        for line in tools.reports().iter().flat_map(|reports| opinions(reports, &found.id)) {
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
    let request = subject.request::<K>(invocation, Action::Validate { level: 10 })?;
    let world = subject.world::<K>(invocation, &request.params)?;
    let text = format!("{} and the options are sound", subject.address);
    report(CheckResult { subject: "parameters".into(), verdict: "ok", text, remedy: None });
    let environment = invocation.environment(subject.resource());
    let common = K::common(&request.params);
    let (settings, _) =
        world::settings(common.api, common.timing, &environment, invocation.deadline.budget());
    invocation.run(async {
        let region = match &settings.region {
            Some(region) => Some(region.clone()),
            None => invocation
                .deadline
                .within(REGION_LIMIT)
                .bound(world.imds.region())
                .await
                .ok()
                .and_then(Result::ok),
        };
        let endpoint = world::ec2_endpoint(&settings, region).await;
        let folders = world.records.folders();
        let (agent, deadline) = (subject.agent, &invocation.deadline);
        let seen = surroundings::observe(agent, &environment, &settings, endpoint, folders, deadline).await;
        examine::<K, _>(&world, &request, &seen, &mut |finding| report(CheckResult::new(&finding))).await;
        Ok(())
    })?;
    report(live_moves::<K>(subject));
    Ok(())
}
