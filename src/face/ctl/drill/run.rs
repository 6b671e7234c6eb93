//! The sequence of a drill: check, confirm, move away, move back, clean up, report; or check, wait for a failure, report.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::guard::Guard;
use super::measure::Watch;
use super::plan::DrillPlan;
use super::report::{Drill, Move};
use super::sightings::{ClusterSighting, ClusterState, Observations, longest_outage};
use crate::base::deadline::Deadline;
use crate::base::deadline::millis;
use crate::base::text::one_line;
use crate::face::cluster::cib::{Cib, ConfiguredAddress};
use crate::face::cluster::operations::AgentOperation;
use crate::face::cluster::tools::{self, Tools};
use crate::face::ctl::call::{Failure, Invocation, print, print_json};
use crate::face::ctl::options::{JSON, TIMEOUT};
use crate::face::ctl::subject::only;
use crate::resource::error::Error;
use crate::resource::{Action, op};
use crate::state::Records as _;
use crate::with_kind;
use crate::world;

/// Interval between status queries during a move.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Longest wait for clients to connect once the move is done.
const CLIENTS_LIMIT: Duration = Duration::from_secs(5);
/// Allowance for the rest of a drill: Pacemaker's tools, which have limits of their own.
const OVERHEAD: Duration = Duration::from_mins(3);

/// Moves the resource away and back, or waits for a failure to move it, and reports the interruption.
pub(in crate::face::ctl) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    invocation.refuse_stranger()?;
    let port = invocation.text("probe").map(port).transpose()?;
    let report = invocation.text("report").map(Path::new);
    let tools = invocation.tools(tools::LIMIT);
    let cib = tools.cib()?;
    let resource = if let Some(resource) = invocation.text("resource") {
        resource.to_owned()
    } else {
        let address = |one: &ConfiguredAddress| one.names().into_iter().next().unwrap_or_default();
        only("RESOURCE", "the cluster has", cib.addresses.iter().map(|one| (one.id.clone(), address(one))))?
    };
    let resource = resource.as_str();
    let is_kill = invocation.is_set("kill");
    let planned = |cib: &Cib| {
        DrillPlan::new(resource, invocation.text("to"), &tools.status()?, &cib.configuration(resource))
    };
    let plan = planned(&cib)?;
    let mut configuration = cib.configuration(resource);
    let (agent, live) = (plan.agent, configuration.live == Some(true));
    configuration.replace(invocation.parameters(agent.parameters));
    let (world, address, location) = with_kind!(agent, K => {
        let request = invocation.request::<K>(Action::Monitor { level: 10 }, &configuration, &[]);
        let request = request.map_err(|failure| match failure {
            Failure::Usage(error) => Failure::Failed(format!("the configuration of {resource}: {error}")),
            other => other,
        })?;
        let world = invocation.querying::<K>(resource, &request.params)?;
        // The address, and where it belongs on this node.
        let (address, location) = invocation.run(op::<K, _>(&world, &request).find())?;
        (world, address, location)
    });
    let number = |option, usual| invocation.matches.get_one::<u64>(option).copied().unwrap_or(usual);
    let mut watch = Watch {
        tools: &tools,
        resource,
        limit: Duration::from_secs(number(TIMEOUT, 120)),
        world: &world,
        agent,
        raw: &configuration.parameters,
        location: location.as_ref(),
        poll: Duration::from_millis(number("poll", 200)),
        client: None,
    };
    if invocation.run(watch.query(invocation.deadline))?.is_none() {
        let from = &plan.from;
        return Err(format!("the cluster runs {resource} on {from}, but {address} is unassigned").into());
    }
    watch.client = port.map(|port| (address, port));
    if let Some(file) = report {
        // Before anything moves: its figures would be lost.
        let opened = File::options().create(true).append(true).open(file);
        opened.map_err(|error| unwritten(file, &error))?;
    }
    let mut moves = Vec::new();
    let outcome = if is_kill {
        suffer(invocation, &watch, &plan).map(|made| moves.push(made))
    } else {
        confirm(invocation, resource, &plan)?;
        // The question may have waited for long.
        let DrillPlan { from, to, .. } = planned(&tools.cib()?)?;
        if (&from, &to) != (&plan.from, &plan.to) {
            return Err(format!("{resource} would move from {from} to {to} now: nothing was moved").into());
        }
        move_and_clear(invocation, &watch, &plan, &mut moves)
    };
    // Something else may keep the cluster busy; the moves are done.
    let is_busy = outcome.is_ok() && !is_kill && tools.wait(watch.limit).is_err();
    let status = tools.status();
    let now_on = status.as_ref().ok().and_then(|status| status.settled_on(resource));
    let drill = Drill { resource, address, live, moves: &moves, now_on };
    let kept = if moves.is_empty() { Ok(()) } else { keep(invocation, &tools, &drill, report) };
    if let Err(reason) = outcome {
        let is_down =
            status.is_ok_and(|status| status.resource(resource).is_some_and(|one| one.nodes.is_empty()));
        let down = if is_down { format!("; {resource} is down: it runs on no node") } else { String::new() };
        return Err(format!("{reason}{down}").into());
    }
    kept?;
    status.as_ref().map_err(Clone::clone)?;
    let now_on =
        now_on.ok_or_else(|| format!("{resource} is not started on one node: crm_mon -1 shows why"))?;
    if invocation.is_set(JSON) {
        return Ok(());
    }
    let end = if is_kill { "" } else { "; the constraint of the move is removed" };
    let busy = if is_busy { "; the cluster is still busy" } else { "" };
    print(&format!("{resource} ({address}) is on {now_on}{end}{busy}\n"))?;
    report.map_or(Ok(()), |file| print(&format!("the report is in {}\n", file.display())))
}

/// Keeps what was measured: in the records, and in the report and as JSON if they are requested.
fn keep(
    invocation: &Invocation<'_>,
    tools: &Tools,
    drill: &Drill<'_>,
    report: Option<&Path>,
) -> Result<(), Failure> {
    // Those of the agent are read-only for a drill; this is its own part of them.
    let records = world::records(&invocation.environment_of(drill.resource), &invocation.log);
    records.update_durable(|record| record.remember_drill(drill.moves.iter().map(Move::figures).collect()));
    if let Some(file) = report {
        let faster = tools.settings(drill.resource).map(|settings| settings.faster());
        let page = drill.page(&records.durable().drills, faster).html();
        std::fs::write(file, page).map_err(|error| unwritten(file, &error))?;
    }
    if invocation.is_set(JSON) { print_json(drill) } else { Ok(()) }
}

fn unwritten(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("--report {}: {error}", one_line(&file.display().to_string())))
}

/// Moves the resource as planned. Whatever the outcome, the cluster is left without the constraint.
fn move_and_clear(
    invocation: &Invocation<'_>,
    watch: &Watch<'_>,
    plan: &DrillPlan,
    moves: &mut Vec<Move>,
) -> Result<(), String> {
    let Watch { tools, resource, limit, .. } = *watch;
    let guard = Guard::set(tools, resource, limit)?;
    let awaited = guard.awaits(tools)?;
    let outcome = exercise(invocation, &Watch { tools: &awaited, ..*watch }, plan, moves);
    let cleared = tools.clear(resource);
    guard.dismiss();
    if let Err(error) = cleared {
        let command = format!("crm_resource --clear --resource {resource}");
        let before = outcome.err().map(|before| format!("{before}; ")).unwrap_or_default();
        return Err(format!(
            "{before}the constraint of the move is still set, remove it with {command}: {error}"
        ));
    }
    outcome.map_err(|error| format!("{error}; the constraint of the move is removed"))
}

/// Waits for the operator to make the node fail that has the address, and measures what follows. Requests nothing.
fn suffer(invocation: &Invocation<'_>, watch: &Watch<'_>, plan: &DrillPlan) -> Result<Move, String> {
    let (resource, from, limit) = (watch.resource, &plan.from, watch.limit.as_secs());
    let mut text = format!(
        "{resource} runs on {from}: make that node fail now; waiting {limit} s for the address to leave it\n"
    );
    if watch.tools.node_name().as_ref() == Some(from) {
        text += "this is that node: if it stops, so does the measurement\n";
    }
    // On standard error, so that the output of the command can be redirected to a file.
    let _ = std::io::stderr().write_all(text.as_bytes());
    let made = watch.run(from, None)?;
    show(invocation, &made);
    Ok(made)
}

/// Moves the resource away and, unless it is to stay there, back. Prints each move as soon as it is done.
fn exercise(
    invocation: &Invocation<'_>,
    watch: &Watch<'_>,
    plan: &DrillPlan,
    moves: &mut Vec<Move>,
) -> Result<(), String> {
    let (from, to) = (plan.from.as_str(), plan.to.as_str());
    let back = (!invocation.is_set("stay")).then_some((to, from));
    for (from, to) in [(from, to)].into_iter().chain(back) {
        let made = watch.run(from, Some(to))?;
        show(invocation, &made);
        moves.push(made);
    }
    Ok(())
}

fn show(invocation: &Invocation<'_>, made: &Move) {
    if !invocation.is_set(JSON) {
        // A closed output must not keep the resource from moving back, or the figures from the records.
        let _ = print(&made.show());
    }
}

impl Watch<'_> {
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
        let started = world::now();
        let observations = RefCell::new(Observations::default());
        let (origin, took, moved_to) = tokio::select! {
            // A completed move counts even if the last query fails at the same instant.
            biased;
            course = self.course(from, to, began, &observations) => course?,
            () = self.watch(began, &observations) => return Err("the watch has ended".to_owned()),
        };
        let operations = AgentOperation::since(self.operations().await, &before);
        Ok(Move {
            from: from.to_owned(),
            to: moved_to,
            at_ms: millis(started + origin),
            by_failure: to.is_none(),
            took,
            operations,
            seen: observations.into_inner().since(origin),
            port: self.client.map(|(_, port)| port),
        })
    }

    /// Those that the cluster has on record; none if it does not answer.
    async fn operations(&self) -> Vec<AgentOperation> {
        let cib = self.ask(Tools::cib).await;
        cib.map(|cib| AgentOperation::all(&cib, self.resource)).unwrap_or_default()
    }

    /// Once EC2 has shown a holder, requests the move, if there is a destination, and waits until cluster and EC2 show it done. Returns
    /// when the move began, in time since `began`, how long the cluster took from then, and where it led.
    async fn course(
        &self,
        from: &str,
        to: Option<&str>,
        began: Instant,
        observations: &RefCell<Observations>,
    ) -> Result<(Duration, Duration, String), String> {
        let mut end = began + self.limit;
        let before = loop {
            if let Some(query) = observations.borrow().queries.last() {
                break query.holder.clone();
            }
            self.pause(end, "EC2 gave no answer").await?;
        };
        let requested_at = began.elapsed();
        if let Some(to) = to {
            let (resource, node) = (self.resource.to_owned(), to.to_owned());
            // Longer than the move may take, but finite in case this machine is lost meanwhile.
            let lifetime = self.limit + OVERHEAD;
            self.ask(move |tools| tools.request_move(&resource, &node, lifetime)).await?;
        }
        let here = ClusterState::On(from.to_owned());
        observations.borrow_mut().sightings.push(ClusterSighting { at: requested_at, state: here });
        let mut has_begun = to.is_some();
        let mut done: Option<(Duration, String)> = None;
        loop {
            let at = began.elapsed();
            // While nodes change roles the cluster may briefly not answer.
            if let Ok(status) = self.ask(Tools::status).await {
                let state = ClusterState::of(&status, self.resource, from);
                if let ClusterState::On(node) = &state
                    && node != from
                    && to.is_none_or(|to| to == node)
                {
                    done.get_or_insert((began.elapsed(), node.clone()));
                }
                observations.borrow_mut().sightings.push(ClusterSighting { at, state });
            }
            let now = observations.borrow().queries.last().and_then(|query| query.holder.clone());
            let moved = now.is_some() && now != before;
            if !has_begun && first_sign(&observations.borrow(), from, before.as_deref()).is_some() {
                (has_begun, end) = (true, Instant::now() + self.limit);
            }
            let still = match (&done, to) {
                (Some((ended, node)), _) if moved => {
                    let (ended, node) = (*ended, node.clone());
                    self.await_clients(observations).await;
                    let sign = first_sign(&observations.borrow(), from, before.as_deref()).unwrap_or(ended);
                    let origin = if to.is_some() { requested_at } else { sign };
                    return Ok((origin, ended.saturating_sub(origin), node));
                }
                (Some(_), _) => "EC2 still shows the address where it was".to_owned(),
                (None, Some(to)) => format!("{} is not started on {to}", self.resource),
                (None, None) if has_begun => format!("{} is not started on another node", self.resource),
                (None, None) => format!("the address has not left {from}"),
            };
            self.pause(end, &still).await?;
        }
    }

    /// Runs one of the cluster's tools on a thread of its own.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tools) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let tools = self.tools.clone();
        tokio::task::spawn_blocking(move || work(&tools)).await.map_err(|error| error.to_string())?
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
fn first_sign(seen: &Observations, from: &str, before: Option<&str>) -> Option<Duration> {
    let here = ClusterState::On(from.to_owned());
    let by_cluster =
        seen.sightings.iter().find(|sighting| sighting.state != here).map(|sighting| sighting.at);
    let by_ec2 =
        seen.queries.iter().find(|query| query.holder.as_deref() != before).map(|query| query.answered);
    let noticed = [by_cluster, by_ec2].into_iter().flatten().min()?;
    let (since, length) = longest_outage(&seen.attempts);
    Some(if length.is_zero() { noticed } else { noticed.min(since) })
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
        _ => Err("nothing was moved".to_owned().into()),
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
