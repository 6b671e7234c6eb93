//! The face of `ocf:heartbeat:eip-health`: on each node it reports in node attributes whether the node could take over.
//!
//! Nothing that it finds, and no tool that fails or hangs, fails an action: it must not cause the trouble that it reports.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cluster::cib::{Cib, ConfiguredAddress};
use super::cluster::node_state::NodeState;
use super::cluster::tools::Tools;
use super::report::{NodeReport, READY_ATTRIBUTE, REPEATED_AFTER, REPORT_ATTRIBUTE};
use crate::base::deadline::Deadline;
use crate::base::log::Log;
use crate::host::Host as _;
use crate::ocf::environment::Environment;
use crate::params::HealthParams;
use crate::resource::error::Error;
use crate::resource::kind::Kind;
use crate::resource::readiness::{Colour, Readiness, UNFIT_HOLDER};
use crate::resource::{Action, Report, Request, op};
use crate::state::Records as _;
use crate::state::health::{DryRun, HealthFile, HealthState};
use crate::with_kind;
use crate::world::{self, RealWorld};

/// Longest time for one of the cluster's tools.
const TOOLS_LIMIT: Duration = Duration::from_secs(5);
/// A dry run that did not succeed is repeated after this time, unless `dry_run_interval` is shorter.
const RETRY: Duration = Duration::from_mins(5);
/// The node attribute with the colour.
const COLOUR_ATTRIBUTE: &str = "#health-eip";

/// Runs an action of the agent.
///
/// # Errors
/// If a parameter is malformed, or the state file of a start cannot be written.
pub(super) fn run(
    action: Action,
    deadline: Deadline,
    environment: &Environment,
    log: &Log,
) -> Result<Report, Error> {
    let file = HealthFile::new(environment, log);
    let boot = world::host().boot_id();
    let limit = TOOLS_LIMIT.min(deadline.budget() / 6);
    let tools = Tools::new(environment.get("PATH"), limit, environment.node_name());
    let params = || HealthParams::parse(&environment.reskeys());
    let observer = |params| HealthObserver { params, deadline, environment, log, tools: &tools };
    let not_written = |error| Error::NotHere(format!("state file not written: {error}"));
    match action {
        Action::Start => {
            let observer = observer(params()?);
            let state = file.load(&boot).unwrap_or(HealthState { boot, ..HealthState::default() });
            file.store(&observer.observe(state, true)).map_err(not_written)?;
            Ok(Report::Done)
        }
        Action::Monitor { .. } => {
            let observer = observer(params()?);
            let Some(state) = file.load(&boot) else { return Ok(not_started()) };
            if let Err(error) = file.store(&observer.observe(state, false)) {
                log.warn(not_written(error));
            }
            Ok(Report::Done)
        }
        Action::Probe { .. } => Ok(file.load(&boot).map_or_else(not_started, |_| Report::Done)),
        Action::Stop => {
            let removed = tools.cib().and_then(|cib| {
                let node = cib.nodes.get(&node_name(&tools)?);
                write(&tools, node.map(|node| &node.attributes), &BTreeMap::new())
            });
            if let Err(reason) = removed {
                log.warn(format_args!("node attributes not removed: {reason}"));
            }
            file.remove().map_err(|error| Error::NotHere(format!("state file not removed: {error}")))?;
            Ok(Report::Done)
        }
        Action::Validate { .. } | Action::Reload | Action::MigrateTo | Action::MigrateFrom => {
            Ok(params().map(|_| Report::Done)?)
        }
    }
}

fn not_started() -> Report {
    Report::NotHere("not started in this boot".to_owned())
}

fn node_name(tools: &Tools) -> Result<String, String> {
    tools.node_name().ok_or_else(|| "crm_node: the cluster is not running here".to_owned())
}

/// Makes this node's attributes those that are wanted. Ends with the first failure: a tool that hangs once hangs again.
fn write(
    tools: &Tools,
    own: Option<&BTreeMap<String, String>>,
    wanted: &BTreeMap<String, String>,
) -> Result<(), String> {
    let is_ours = |name: &&String| {
        name.starts_with(READY_ATTRIBUTE) || name.starts_with(REPORT_ATTRIBUTE) || *name == COLOUR_ATTRIBUTE
    };
    for (name, value) in wanted {
        if own.and_then(|own| own.get(name)) != Some(value) {
            tools.set_attribute(name, Some(value))?;
        }
    }
    let left_over = own.into_iter().flat_map(BTreeMap::keys).filter(is_ours);
    left_over.filter(|name| !wanted.contains_key(*name)).try_for_each(|name| tools.set_attribute(name, None))
}

/// One check of every address of the cluster.
struct HealthObserver<'a> {
    params: HealthParams,
    deadline: Deadline,
    environment: &'a Environment,
    log: &'a Log,
    tools: &'a Tools,
}

impl HealthObserver<'_> {
    /// Examines this node, writes what has changed, and returns what to remember.
    fn observe(&self, mut state: HealthState, first: bool) -> HealthState {
        let found = self.tools.cib().and_then(|cib| Ok((cib, node_name(self.tools)?)));
        let (cib, node) = match found {
            Ok(found) => found,
            Err(reason) => {
                self.log.warn(format_args!("readiness not reported: {reason}"));
                return state;
            }
        };
        let now = world::now().as_secs();
        let own = cib.nodes.get(&node).map(|node| &node.attributes);
        let (mut wanted, mut all, mut dry_runs) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        let mut waiting = u32::try_from(cib.addresses.len()).unwrap_or(u32::MAX);
        for one in &cib.addresses {
            // The tools that follow need their time too.
            let deadline = self.deadline.within(self.deadline.left().saturating_sub(TOOLS_LIMIT) / waiting);
            waiting -= 1;
            let parameters = &one.configuration.parameters;
            let last = state.dry_runs.remove(&one.id).filter(|last| last.parameters == *parameters);
            let (found, dry_run) =
                with_kind!(one.agent, K => self.examine::<K>(one, deadline, &node, last, now));
            let others = cib.nodes.iter().filter(|(other, _)| **other != node);
            let answered_others = others.filter_map(|(_, other)| other.report(&one.id)?.ok()?.ec2).max();
            let found = found.with(dry_run.as_ref(), answered_others);
            self.want(&one.id, &found, dry_run.as_ref(), own, now, &mut wanted);
            if found.ready.is_none() && one.configuration.for_query().undecided().is_some() {
                // What was reported before was about other parameters.
                wanted.remove(&format!("{READY_ATTRIBUTE}{}", one.id));
            }
            dry_runs.extend(dry_run.map(|dry_run| (one.id.clone(), dry_run)));
            all.push(found);
        }
        wanted.extend(self.colour(&cib, &node, &all, now, first));
        if let Err(reason) = write(self.tools, own, &wanted) {
            self.log.warn(format_args!("readiness not reported: {reason}"));
        }
        HealthState { dry_runs, ..state }
    }

    /// What this node knows of one address, and the last dry run.
    fn examine<K: Kind<RealWorld>>(
        &self,
        one: &ConfiguredAddress,
        deadline: Deadline,
        node: &str,
        last: Option<DryRun>,
        now: u64,
    ) -> (Readiness, Option<DryRun>) {
        let environment = self.environment.clone().of_resource(&one.id);
        let record = world::records(&environment, self.log).volatile();
        let holds = record.is_running(&world::host().boot_id());
        let needed = one.configuration.for_query();
        if let Some(reason) = needed.undecided() {
            return (Readiness { holds, reason, ..Readiness::default() }, last);
        }
        let examined = || -> Result<_, Error> {
            let params = K::parse(&needed.parameters)?;
            let common = K::common(&params);
            let (mut world, _) = world::build(common.api, common.timing, deadline, &environment, self.log)?;
            world.records = world.records.read_only();
            let nodes = vec![node.to_owned()];
            let request = Request { action: Action::Monitor { level: 0 }, params, deadline, nodes };
            world::run(deadline, async {
                let found = op::<K, _>(&world, &request).assess().await;
                if found.ready != Some(true) || !self.is_due(last.as_ref(), now) {
                    return Ok((found, None));
                }
                let again = op::<K, _>(&world, &request).dry_run(last.as_ref(), now).await;
                Ok((found, Some(DryRun { parameters: one.configuration.parameters.clone(), ..again })))
            })
        };
        match examined() {
            Ok((found, again)) => (found, again.or(last)),
            Err(error) => (Readiness::failed(error, holds), last),
        }
    }

    fn is_due(&self, last: Option<&DryRun>, now: u64) -> bool {
        let interval = self.params.dry_run_interval;
        let is_due = |last: &DryRun| {
            let interval = if last.ready == Some(true) { interval } else { interval.min(RETRY) };
            // A time in the future is that of a clock that was wrong.
            now.checked_sub(last.at).is_none_or(|age| age >= interval.as_secs())
        };
        last.is_none_or(is_due)
    }

    /// Adds the attributes for one resource; what is not known stays as it is.
    fn want(
        &self,
        resource: &str,
        found: &Readiness,
        dry_run: Option<&DryRun>,
        own: Option<&BTreeMap<String, String>>,
        now: u64,
        wanted: &mut BTreeMap<String, String>,
    ) {
        let name = format!("{READY_ATTRIBUTE}{resource}");
        let before = own.and_then(|own| own.get(&name));
        let ready = found.ready.map(|ready| ready.to_string());
        if ready.is_some() && ready.as_ref() != before {
            if found.ready == Some(false) {
                self.log.warn(format_args!("{resource}: this node could not take over: {}", found.reason));
            } else {
                self.log.info(format_args!("{resource}: this node could take over: {}", found.reason));
            }
        }
        wanted.extend(ready.or_else(|| before.cloned()).map(|ready| (name, ready)));
        let name = format!("{REPORT_ATTRIBUTE}{resource}");
        let report = NodeReport {
            at: now,
            ready: found.ready,
            here: found.here,
            ec2: dry_run.and_then(|dry_run| dry_run.answered),
            reason: found.reason.clone(),
        };
        // Every change makes the cluster compute a transition: the same report is written again only to show that it still holds.
        let before = own.and_then(|own| own.get(&name)?.parse::<NodeReport>().ok());
        let same = before.filter(|before| {
            let repeated = NodeReport { at: before.at, ..report.clone() };
            before.to_string() == repeated.to_string()
                && now.checked_sub(before.at).is_some_and(|age| age < REPEATED_AFTER)
        });
        wanted.insert(name, same.unwrap_or(report).to_string());
    }

    /// The attribute with the node's colour, if it is to be set.
    fn colour(
        &self,
        cib: &Cib,
        node: &str,
        all: &[Readiness],
        now: u64,
        first: bool,
    ) -> Option<(String, String)> {
        if !self.params.node_health {
            return None;
        }
        let own = self.environment.instance().split(':').next().unwrap_or_default();
        let (_, obstacle) = cib.colouring().into_iter().find(|(resource, _)| resource == own)?;
        if let Some(obstacle) = obstacle {
            if first {
                self.log.warn(format_args!("node health not set: {obstacle}"));
            }
            return None;
        }
        let colour_of = |node: &NodeState| Colour::named(node.attributes.get(COLOUR_ATTRIBUTE)?);
        // A node that has an address is green whatever is wrong, and the fault may be that of all nodes.
        let is_fit = |node: &NodeState| {
            let reports = cib.addresses.iter().filter_map(|one| node.report(&one.id)?.ok());
            let mut fresh = reports.filter(|report| report.is_fresh(now)).peekable();
            fresh.peek().is_some() && fresh.all(|report| !report.reason.starts_with(UNFIT_HOLDER))
        };
        let mut others = cib.nodes.iter().filter(|(other, _)| *other != node);
        let other_is_fit = others.any(|(_, other)| colour_of(other) == Some(Colour::Green) && is_fit(other));
        let colour = Colour::of(all, cib.nodes.get(node).and_then(colour_of), other_is_fit);
        Some((COLOUR_ATTRIBUTE.to_owned(), colour.name().to_owned()))
    }
}
