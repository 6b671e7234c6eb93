//! The sequence of a drill: check, confirm, move away, move back, clean up, report.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::configuration::ConfiguredAddress;
use super::guard::Guard;
use super::measure::{Observations, Watch, request};
use super::plan::DrillPlan;
use super::report::{Drill, Move};
use super::sightings::HolderQuery;
use super::tools::{self, Tools};
use crate::base::deadline::Deadline;
use crate::base::text::one_line;
use crate::face::ctl::call::{Failure, Invocation, print, print_json};
use crate::face::ctl::options::{JSON, TIMEOUT};
use crate::face::ctl::subject::listed;
use crate::resource::by_hand::BY_HAND;
use crate::resource::error::Error;
use crate::resource::kind::{Kind, Location};
use crate::resource::survey;
use crate::with_kind;
use crate::world::{self, RealWorld};

/// Interval between status queries during a move.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Allowance for the rest of a drill: Pacemaker's tools, which have limits of their own.
const OVERHEAD: Duration = Duration::from_mins(3);

/// Moves the resource away and back, and reports the interruption.
pub(in crate::face::ctl) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let port = invocation.text("probe").map(port).transpose()?;
    let tools = Tools::new(invocation.environment(BY_HAND).get("PATH"), tools::LIMIT);
    let resource = match invocation.text("resource") {
        Some(resource) => resource.to_owned(),
        None => the_only_one(&tools)?,
    };
    let resource = resource.as_str();
    let configuration = tools.configuration(resource).map_err(Failure::Failed)?;
    let status = tools.status().map_err(Failure::Failed)?;
    let plan =
        DrillPlan::new(resource, invocation.text("to"), &status, &configuration).map_err(Failure::Failed)?;
    let (agent, mut raw) = (plan.agent, configuration.parameters);
    raw.extend(invocation.parameters(agent.parameters));
    let (world, address, location) = with_kind!(agent, K => locate::<K>(invocation, resource, &raw))?;
    let poll = Duration::from_millis(invocation.matches.get_one::<u64>("poll").copied().unwrap_or(200));
    let mut watch =
        Watch { world: &world, agent, raw: &raw, location: location.as_ref(), poll, client: None };
    if invocation.run(watch.query(invocation.deadline))?.is_none() {
        let from = &plan.from;
        return Err(Failure::Failed(format!(
            "the cluster runs {resource} on {from}, but nobody holds {address}"
        )));
    }
    watch.client = port.map(|port| (address, port));
    confirm(invocation, resource, &plan)?;

    let limit = Duration::from_secs(invocation.matches.get_one::<u64>(TIMEOUT).copied().unwrap_or(120));
    let guard = Guard::set(&tools, resource, limit).map_err(Failure::Failed)?;
    let carrier = Carrier { tools: &tools, watch: &watch, resource, limit };
    let mut moves = Vec::new();
    let outcome = exercise(invocation, &carrier, &plan, &mut moves);
    // Whatever the outcome, the cluster is left as it was.
    let cleared = tools.clear(resource);
    guard.dismiss();
    if let Err(error) = cleared {
        let command = format!("crm_resource --clear --resource {resource}");
        let before = outcome.err().map(|before| format!("{before}; ")).unwrap_or_default();
        return Err(Failure::Failed(format!(
            "{before}the constraint of the move is left, {command}: {error}"
        )));
    }
    let undone = |error| Failure::Failed(format!("{error}; the constraint of the move is removed"));
    outcome.map_err(undone)?;
    tools.wait(limit).map_err(Failure::Failed)?;
    let status = tools.status().map_err(Failure::Failed)?;
    let Some(now_on) = status.settled_on(resource) else {
        return Err(Failure::Failed(format!("{resource} is not started on one node: crm_mon -1 shows why")));
    };
    let drill = Drill { resource, address, live: configuration.live, moves: &moves, now_on };
    if invocation.is_set(JSON) {
        return print_json(&drill.document());
    }
    print(&format!("{resource} ({address}) is on {now_on}; the constraint of the move is removed\n"))
}

/// The id of the only resource of the cluster that has an address.
fn the_only_one(tools: &Tools) -> Result<String, Failure> {
    let all = tools.addresses().map_err(Failure::Failed)?;
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
    let (address, location) = invocation.run(survey::find::<K, _>(&world, &request))?;
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
        let deadline = Deadline::new(Instant::now(), carrier.limit + OVERHEAD);
        let work = async { Ok::<_, Error>(carrier.make(from, to).await) };
        let made = world::run(deadline, work).map_err(|error| error.to_string())??;
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

impl Carrier<'_> {
    /// Makes one move.
    async fn make(&self, from: &str, to: &str) -> Result<Move, String> {
        let began = Instant::now();
        let observations = RefCell::new(Observations::default());
        let request_move = self.request_move(to, began, &observations);
        let (requested_at, took) = tokio::select! {
            // A completed move counts even if the last query fails at the same instant.
            biased;
            times = request_move => times?,
            () = self.watch.watch(began, &observations) => return Err("nobody watches any more".to_owned()),
        };
        let Observations { queries, unanswered, attempts } = observations.into_inner();
        let queries = queries.into_iter().map(|query| query.since(requested_at)).collect();
        let client = self.watch.client.map(|(_, port)| (port, attempts));
        Ok(Move { from: from.to_owned(), to: to.to_owned(), took, queries, unanswered, client })
    }

    /// Requests the move once EC2 has shown a holder, and waits until cluster and EC2 show it done. Returns the time of
    /// the request, and how long the cluster took from then.
    async fn request_move(
        &self,
        to: &str,
        began: Instant,
        observations: &RefCell<Observations>,
    ) -> Result<(Duration, Duration), String> {
        let end = began + self.limit;
        let before = loop {
            if let Some(query) = observations.borrow().queries.last() {
                break query.clone();
            }
            self.pause(end, "EC2 gave no answer").await?;
        };
        let (tools, resource, node) = (self.tools.clone(), self.resource.to_owned(), to.to_owned());
        // Longer than the move may take, but finite in case this machine is lost meanwhile.
        let lifetime = self.limit + OVERHEAD;
        let requested_at = began.elapsed();
        blocking(move || tools.request_move(&resource, &node, lifetime)).await?;
        let mut took = None;
        loop {
            let (tools, resource) = (self.tools.clone(), self.resource.to_owned());
            // While nodes change roles the cluster may briefly not answer.
            let status = blocking(move || tools.status()).await.ok();
            let there = status.is_some_and(|status| status.settled_on(&resource) == Some(to));
            if there {
                took.get_or_insert(began.elapsed().saturating_sub(requested_at));
            }
            let moved =
                observations.borrow().queries.last().is_some_and(|query| is_elsewhere(query, &before));
            match took {
                Some(took) if moved => return Ok((requested_at, took)),
                Some(_) => self.pause(end, "EC2 still shows the address where it was").await?,
                None => self.pause(end, &format!("{resource} is not started on {to}")).await?,
            }
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
