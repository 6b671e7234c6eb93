//! `eipctl check`: whether this node could take over an address, one line per prerequisite.

use std::time::Duration;

use serde::Serialize;

use super::call::{BY_HAND, Failure, Invocation, print, print_json};
use super::drill::tools::Tools;
use super::options::{ADDRESS, JSON};
use super::surroundings;
use crate::cloud::Imds as _;
use crate::params::Params;
use crate::resource::Action;
use crate::resource::elastic::{self, Finding, Verdict};
use crate::world;

/// Time limit for querying IMDS for the region.
const REGION_LIMIT: Duration = Duration::from_secs(3);

/// One result as it is printed.
#[derive(Serialize)]
struct CheckResult {
    subject: &'static str,
    verdict: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

impl CheckResult {
    fn new(finding: &Finding) -> Self {
        let (verdict, text) = match &finding.verdict {
            Verdict::Good(text) => ("ok", text.clone()),
            Verdict::Warning(text) => ("warn", text.clone()),
            Verdict::Failure(error) => ("FAIL", error.to_string()),
            Verdict::Unknown(text) => ("-", text.clone()),
        };
        Self { subject: finding.subject, verdict, text, remedy: finding.remedy() }
    }

    fn show(&self) -> String {
        let remedy = self.remedy.map(|remedy| format!(": {remedy}")).unwrap_or_default();
        format!("{:4}  {:20}  {}{remedy}\n", self.verdict, self.subject, self.text)
    }
}

/// Whether a live move, if the cluster is configured for it, can succeed: the other node takes the address while this one has it.
fn live_moves(invocation: &Invocation<'_>, resource: &str) -> CheckResult {
    let (verdict, text, remedy) = match configuration(invocation, resource) {
        Err(reason) => ("-", reason, None),
        Ok((false, _)) => {
            ("ok", "allow-migrate is not set: a planned move is a stop and a start".to_owned(), None)
        }
        Ok((true, true)) => ("ok", "allow-migrate=true: a planned move is one call".to_owned(), None),
        Ok((true, false)) => (
            "FAIL",
            "allow-migrate=true, but with allow_reassociation=false no other node may take the address"
                .to_owned(),
            Some("remove allow-migrate, or set allow_reassociation=true"),
        ),
    };
    CheckResult { subject: "live moves", verdict, text, remedy }
}

/// Whether the cluster moves this resource live, and whether another node may then take its address.
fn configuration(invocation: &Invocation<'_>, resource: &str) -> Result<(bool, bool), String> {
    if resource == BY_HAND {
        return Err("needs a resource that has run on this node".to_owned());
    }
    let tools = Tools::new(invocation.environment(resource).get("PATH"), REGION_LIMIT);
    let configuration = tools.configuration(resource)?;
    let params = Params::parse(&configuration.parameters).map_err(|error| format!("{resource}: {error}"))?;
    Ok((configuration.live, params.allow_reassociation))
}

/// Prints each result as it arrives; fails if any of them is a failure.
pub(super) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let params = invocation.params()?;
    let known = invocation.on_record_about(&params);
    // The record distinguishes this resource from others.
    let resource = known.first().map_or(BY_HAND, |entry| entry.resource.as_str()).to_owned();
    let mut world = invocation.world(&resource, &params.api, &params.timing)?;
    let folders = world.records.folders();
    world.records = world.records.read_only();
    let request = invocation.request(Action::Validate { level: 10 }, params);
    let for_programs = invocation.is_set(JSON);
    let address = invocation.text(ADDRESS).unwrap_or_default();
    let mut lines = vec![CheckResult {
        subject: "parameters",
        verdict: "ok",
        text: format!("{address} and the options are sound"),
        remedy: None,
    }];
    if !for_programs {
        lines.iter().try_for_each(|line| print(&line.show()))?;
    }
    let environment = invocation.environment(&resource);
    let Params { api, timing, .. } = &request.params;
    let (settings, _) = world::settings(api, timing, &environment, invocation.deadline.budget());
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
        let observations =
            surroundings::observe(&environment, &settings, endpoint, folders, &invocation.deadline).await;
        elastic::examine(&world, &request, &observations, |finding| {
            let line = CheckResult::new(&finding);
            if !for_programs {
                // A closed reader does not change the results.
                let _ = print(&line.show());
            }
            lines.push(line);
        })
        .await;
        Ok(())
    })?;
    let line = live_moves(invocation, &resource);
    if !for_programs {
        print(&line.show())?;
    }
    lines.push(line);
    if for_programs {
        print_json(&lines)?;
    }
    // The failures have already been printed, one per line.
    if lines.iter().any(|line| line.verdict == "FAIL") { Err(Failure::Reported) } else { Ok(()) }
}
