//! The sequence of a drill: check, confirm, move away, move back, clean up, report; or check, wait for a failure, report.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::guard::Guard;
use super::measure::{Observations, Watch, request};
use super::plan::DrillPlan;
use super::report::{Drill, Move};
use super::sightings::{ClusterSighting, ClusterState, ConnectionAttempt, HolderQuery, longest_outage};
use crate::base::deadline::Deadline;
use crate::base::text::one_line;
use crate::face::cluster::cib::ConfiguredAddress;
use crate::face::cluster::operations::AgentOperation;
use crate::face::cluster::tools::{self, Tools};
use crate::face::ctl::call::{Failure, Invocation, print, print_json};
use crate::face::ctl::options::{JSON, TIMEOUT};
use crate::face::ctl::subject::listed;
use crate::resource::error::Error;
use crate::resource::kind::{Kind, Location};
use crate::resource::{millis, op};
use crate::state::Records as _;
use crate::with_kind;
use crate::world::{self, RealWorld};

/// Interval between status queries during a move.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Longest wait for clients to connect once the move is done.
const CLIENTS_LIMIT: Duration = Duration::from_secs(5);
/// Allowance for the rest of a drill: Pacemaker's tools, which have limits of their own.
const OVERHEAD: Duration = Duration::from_mins(3);

/// Moves the resource away and back, or waits for a failure to move it, and reports the interruption.
pub(in crate::face::ctl) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let port = invocation.text("probe").map(port).transpose()?;
    let report = invocation.text("report").map(Path::new);
    let tools = invocation.tools(tools::LIMIT);
    let cib = tools.cib().map_err(Failure::Failed)?;
    let resource = match invocation.text("resource") {
        Some(resource) => resource.to_owned(),
        None => the_only_one(cib.addresses.clone())?,
    };
    let resource = resource.as_str();
    let mut configuration = cib.configuration(resource);
    let status = tools.status().map_err(Failure::Failed)?;
    let plan =
        DrillPlan::new(resource, invocation.text("to"), &status, &configuration).map_err(Failure::Failed)?;
    let (agent, live) = (plan.agent, configuration.live == Some(true));
    configuration.replace(invocation.parameters(agent.parameters));
    if let Some(reason) = configuration.undecided() {
        return Err(Failure::Failed(format!("{reason}: give it as an option")));
    }
    let raw = configuration.parameters;
    let (world, address, location) = with_kind!(agent, K => locate::<K>(invocation, resource, &raw))?;
    let poll = Duration::from_millis(invocation.matches.get_one::<u64>("poll").copied().unwrap_or(200));
    let mut watch =
        Watch { world: &world, agent, raw: &raw, location: location.as_ref(), poll, client: None };
    if invocation.run(watch.query(invocation.deadline))?.is_none() {
        let from = &plan.from;
        return Err(Failure::Failed(format!(
            "the cluster runs {resource} on {from}, but {address} is unassigned"
        )));
    }
    watch.client = port.map(|port| (address, port));
    if let Some(file) = report {
        // Before anything moves: its figures would be lost.
        let opened = File::options().create(true).append(true).open(file);
        opened.map_err(|error| unwritten(file, &error))?;
    }
    let limit = Duration::from_secs(invocation.matches.get_one::<u64>(TIMEOUT).copied().unwrap_or(120));
    let carrier = Carrier { tools: &tools, watch: &watch, resource, limit };
    let moves = if invocation.is_set("kill") {
        vec![suffer(invocation, &carrier, &plan)?]
    } else {
        confirm(invocation, resource, &plan)?;
        move_and_clear(invocation, &carrier, &plan)?
    };
    let status = tools.status().map_err(Failure::Failed)?;
    let Some(now_on) = status.settled_on(resource) else {
        return Err(Failure::Failed(format!("{resource} is not started on one node: crm_mon -1 shows why")));
    };
    let drill = Drill { resource, address, live, moves: &moves, now_on };
    // Those of the agent are read-only for a drill; this is its own part of them.
    let records = world::records(&invocation.environment(resource), &invocation.log);
    records.update_durable(|record| record.remember_drill(moves.iter().map(Move::figures).collect()));
    if let Some(file) = report {
        let faster = tools.settings(resource).map(|settings| settings.faster());
        let page = drill.page(&records.durable().drills, faster).html();
        std::fs::write(file, page).map_err(|error| unwritten(file, &error))?;
    }
    if invocation.is_set(JSON) {
        return print_json(&drill.document());
    }
    let end = if invocation.is_set("kill") { "" } else { "; the constraint of the move is removed" };
    print(&format!("{resource} ({address}) is on {now_on}{end}\n"))?;
    report.map_or(Ok(()), |file| print(&format!("the report is in {}\n", file.display())))
}

fn unwritten(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("--report {}: {error}", one_line(&file.display().to_string())))
}

/// Moves the resource as planned. Whatever the outcome, the cluster is left without the constraint.
fn move_and_clear(
    invocation: &Invocation<'_>,
    carrier: &Carrier<'_>,
    plan: &DrillPlan,
) -> Result<Vec<Move>, Failure> {
    let Carrier { tools, resource, limit, .. } = *carrier;
    let guard = Guard::set(tools, resource, limit).map_err(Failure::Failed)?;
    let mut moves = Vec::new();
    let outcome = exercise(invocation, carrier, plan, &mut moves);
    let cleared = tools.clear(resource);
    guard.dismiss();
    if let Err(error) = cleared {
        let command = format!("crm_resource --clear --resource {resource}");
        let before = outcome.err().map(|before| format!("{before}; ")).unwrap_or_default();
        return Err(Failure::Failed(format!(
            "{before}the constraint of the move is still set, remove it with {command}: {error}"
        )));
    }
    let undone = |error| Failure::Failed(format!("{error}; the constraint of the move is removed"));
    outcome.map_err(undone)?;
    tools.wait(limit).map_err(Failure::Failed)?;
    Ok(moves)
}

/// Waits for the operator to make the node fail that has the address, and measures what follows. Requests nothing.
fn suffer(invocation: &Invocation<'_>, carrier: &Carrier<'_>, plan: &DrillPlan) -> Result<Move, Failure> {
    let (resource, from, limit) = (carrier.resource, &plan.from, carrier.limit.as_secs());
    let mut text = format!(
        "{resource} runs on {from}: make that node fail now; waiting {limit} s for the address to leave it\n"
    );
    if carrier.tools.node_name().as_ref() == Some(from) {
        text += "this is that node: if it stops, so does the measurement\n";
    }
    // On standard error, so that the output of the command can be redirected to a file.
    let _ = std::io::stderr().write_all(text.as_bytes());
    let made = carrier.run(from, None).map_err(Failure::Failed)?;
    if !invocation.is_set(JSON) {
        print(&made.show())?;
    }
    Ok(made)
}

/// The id of the only resource of the cluster that has an address.
fn the_only_one(all: Vec<ConfiguredAddress>) -> Result<String, Failure> {
    let named = |one: ConfiguredAddress| (one.names().into_iter().next().unwrap_or_default(), one.id);
    let all: Vec<_> = all.into_iter().map(named).collect();
    match all.as_slice() {
        [(_, id)] => Ok(id.clone()),
        all => Err(Failure::Usage(format!("RESOURCE is needed: the cluster has {}", listed(all)))),
    }
}

/// The services for a resource, its address, and where that belongs on this node.
fn locate<K: Kind<RealWorld>>(
    invocation: &Invocation<'_>,
    resource: &str,
    raw: &BTreeMap<String, String>,
) -> Result<(RealWorld, IpAddr, Option<Location>), Failure> {
    let configured = |error| Failure::Failed(format!("the configuration of {resource}: {error}"));
    let request = request::<K>(raw, invocation.deadline).map_err(configured)?;
    let common = K::common(&request.params);
    let mut world = invocation.world(resource, common.api, common.timing)?;
    world.records = world.records.read_only();
    let (address, location) = invocation.run(op::<K, _>(&world, &request).find())?;
    Ok((world, address, location))
}

/// Moves the resource away and, unless it is to stay there, back. Prints each move as soon as it is done.
fn exercise(
    invocation: &Invocation<'_>,
    carrier: &Carrier<'_>,
    plan: &DrillPlan,
    moves: &mut Vec<Move>,
) -> Result<(), String> {
    let back = (!invocation.is_set("stay")).then_some((plan.to.as_str(), plan.from.as_str()));
    for (from, to) in [Some((plan.from.as_str(), plan.to.as_str())), back].into_iter().flatten() {
        let made = carrier.run(from, Some(to))?;
        if !invocation.is_set(JSON) {
            // A closed output must not keep the resource from moving back.
            let _ = print(&made.show());
        }
        moves.push(made);
    }
    Ok(())
}

/// What it takes to move the resource and to observe that.
struct Carrier<'a> {
    tools: &'a Tools,
    watch: &'a Watch<'a>,
    resource: &'a str,
    limit: Duration,
}

/// When a move began and how long the cluster took from then, in time since the observation began, and where it led.
struct MoveCourse {
    began: Duration,
    took: Duration,
    to: String,
}

impl Carrier<'_> {
    /// Makes one move, or waits for one if there is no destination.
    fn run(&self, from: &str, to: Option<&str>) -> Result<Move, String> {
        // Of a failure the time until it occurs is limited as well.
        let deadline = Deadline::new(Instant::now(), self.limit * 2 + OVERHEAD);
        let work = async { Ok::<_, Error>(self.make(from, to).await) };
        world::run(deadline, work).map_err(|error| error.to_string())?
    }

    async fn make(&self, from: &str, to: Option<&str>) -> Result<Move, String> {
        let before = self.operations().await;
        let began = Instant::now();
        let started = SystemTime::now();
        let observations = RefCell::new(Observations::default());
        let course = self.course(from, to, began, &observations);
        let course = tokio::select! {
            // A completed move counts even if the last query fails at the same instant.
            biased;
            course = course => course?,
            () = self.watch.watch(began, &observations) => return Err("the watch has ended".to_owned()),
        };
        let operations = AgentOperation::since(self.operations().await, &before);
        let Observations { queries, unanswered, attempts, sightings } = observations.into_inner();
        let origin = course.began;
        // Of what was before the move only the last answer counts.
        let first = queries.iter().rposition(|query| query.answered < origin).unwrap_or_default();
        let queries = queries.into_iter().skip(first).map(|query| query.since(origin)).collect();
        let first = sightings.iter().rposition(|sighting| sighting.at < origin).unwrap_or_default();
        let since = |at: Duration| at.saturating_sub(origin);
        let sightings = sightings.into_iter().skip(first);
        let sightings = sightings.map(|one| ClusterSighting { at: since(one.at), ..one }).collect();
        let attempts = attempts.into_iter().filter(|attempt| attempt.began >= origin);
        let attempts = attempts.map(|one| ConnectionAttempt { began: since(one.began), ..one }).collect();
        let at = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default() + origin;
        Ok(Move {
            from: from.to_owned(),
            to: course.to,
            at_ms: millis(at),
            by_failure: to.is_none(),
            took: course.took,
            sightings,
            operations,
            queries,
            unanswered,
            client: self.watch.client.map(|(_, port)| (port, attempts)),
        })
    }

    /// Those that the cluster has on record; none if it does not answer.
    async fn operations(&self) -> Vec<AgentOperation> {
        let tools = self.tools.clone();
        let cib = blocking(move || tools.cib()).await;
        cib.map(|cib| AgentOperation::all(&cib, self.resource)).unwrap_or_default()
    }

    /// Once EC2 has shown a holder, requests the move, if there is a destination, and waits until cluster and EC2 show it done.
    async fn course(
        &self,
        from: &str,
        to: Option<&str>,
        began: Instant,
        observations: &RefCell<Observations>,
    ) -> Result<MoveCourse, String> {
        let mut end = began + self.limit;
        let before = loop {
            if let Some(query) = observations.borrow().queries.last() {
                break query.clone();
            }
            self.pause(end, "EC2 gave no answer").await?;
        };
        let requested_at = began.elapsed();
        if let Some(to) = to {
            let (tools, resource, node) = (self.tools.clone(), self.resource.to_owned(), to.to_owned());
            // Longer than the move may take, but finite in case this machine is lost meanwhile.
            let lifetime = self.limit + OVERHEAD;
            blocking(move || tools.request_move(&resource, &node, lifetime)).await?;
        }
        let here = ClusterState::On(from.to_owned());
        observations.borrow_mut().sightings.push(ClusterSighting { at: requested_at, state: here });
        let mut has_begun = to.is_some();
        let mut done: Option<(Duration, String)> = None;
        loop {
            let tools = self.tools.clone();
            let at = began.elapsed();
            // While nodes change roles the cluster may briefly not answer.
            if let Ok(status) = blocking(move || tools.status()).await {
                let state = ClusterState::of(&status, self.resource, from);
                match &state {
                    ClusterState::On(node) if node != from && to.is_none_or(|to| to == node) => {
                        done.get_or_insert((began.elapsed(), node.clone()));
                    }
                    _ => {}
                }
                observations.borrow_mut().sightings.push(ClusterSighting { at, state });
            }
            let moved =
                observations.borrow().queries.last().is_some_and(|query| is_elsewhere(query, &before));
            if !has_begun && first_sign(&observations.borrow(), from, &before).is_some() {
                (has_begun, end) = (true, Instant::now() + self.limit);
            }
            let still = match (&done, to) {
                (Some((ended, node)), _) if moved => {
                    let (ended, to_node) = (*ended, node.clone());
                    self.await_clients(observations).await;
                    let sign = first_sign(&observations.borrow(), from, &before).unwrap_or(ended);
                    let origin = if to.is_some() { requested_at } else { sign };
                    return Ok(MoveCourse { began: origin, took: ended.saturating_sub(origin), to: to_node });
                }
                (Some(_), _) => "EC2 still shows the address where it was".to_owned(),
                (None, Some(to)) => format!("{} is not started on {to}", self.resource),
                (None, None) if has_begun => format!("{} is not started on another node", self.resource),
                (None, None) => format!("the address has not left {from}"),
            };
            self.pause(end, &still).await?;
        }
    }

    /// Gives clients that could connect before a moment to connect again: without that their outage would have no end.
    async fn await_clients(&self, observations: &RefCell<Observations>) {
        let end = Instant::now() + CLIENTS_LIMIT;
        loop {
            let cut_off = {
                let attempts = &observations.borrow().attempts;
                let last = attempts.iter().max_by_key(|attempt| attempt.began);
                attempts.iter().any(|attempt| attempt.connected) && last.is_some_and(|last| !last.connected)
            };
            if !cut_off || Instant::now() >= end {
                return;
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Sleeps briefly; at `end`, fails because the condition `still` persists.
    async fn pause(&self, end: Instant, still: &str) -> Result<(), String> {
        if Instant::now() >= end {
            return Err(format!("{still} after {} s: crm_mon -1 shows why", self.limit.as_secs()));
        }
        tokio::time::sleep(POLL_INTERVAL).await;
        Ok(())
    }
}

/// The first sign that the address leaves its node: the cluster does not have it there, EC2 shows something else, or clients get no
/// answer in the time up to then. A shorter silence of clients before is none.
fn first_sign(seen: &Observations, from: &str, before: &HolderQuery) -> Option<Duration> {
    let here = ClusterState::On(from.to_owned());
    let by_cluster =
        seen.sightings.iter().find(|sighting| sighting.state != here).map(|sighting| sighting.at);
    let by_ec2 = seen.queries.iter().find(|query| query.holder != before.holder).map(|query| query.answered);
    let noticed = [by_cluster, by_ec2].into_iter().flatten().min()?;
    let (since, length) = longest_outage(&seen.attempts);
    Some(if length.is_zero() { noticed } else { noticed.min(since) })
}

fn is_elsewhere(now: &HolderQuery, before: &HolderQuery) -> bool {
    now.holder.is_some() && now.holder != before.holder
}

/// Runs blocking work on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}

/// Asks for confirmation: services behind the address lose their connections.
fn confirm(invocation: &Invocation<'_>, resource: &str, plan: &DrillPlan) -> Result<(), Failure> {
    if invocation.is_set("yes") {
        return Ok(());
    }
    let DrillPlan { from, to, .. } = plan;
    let back = if invocation.is_set("stay") { "" } else { " and back" };
    let mut input = std::io::stdin().lock();
    if !input.is_terminal() {
        return Err(Failure::Usage(format!(
            "this moves {resource}, which is in use, from {from} to {to}{back}: without a terminal this needs --yes"
        )));
    }
    let question = format!(
        "Move {resource} from {from} to {to}{back}? Clients lose their connections each time. [y/N] "
    );
    // On standard error, so that the output of the command can be redirected to a file.
    let _ = std::io::stderr().write_all(question.as_bytes());
    let mut answer = String::new();
    let _ = input.read_line(&mut answer);
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::Failed("nothing was moved".to_owned())),
    }
}

/// Parses the clients' port.
fn port(text: &str) -> Result<u16, Failure> {
    let of_url = || {
        let url: http::Uri = text.parse().ok()?;
        url.host()?;
        match (url.port_u16(), url.scheme_str()) {
            (Some(port), _) => Some(port),
            (None, Some("http")) => Some(80),
            (None, Some("https")) => Some(443),
            (None, _) => None,
        }
    };
    let port = text.parse().ok().or_else(of_url).filter(|port| *port > 0);
    port.ok_or_else(|| Failure::Usage(format!("--probe {}: expected a port or a URL", one_line(text))))
}
