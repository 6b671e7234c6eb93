//! Collects the state of all addresses: from Pacemaker's tools, from EC2 with one listing for all, from this node's instance
//! metadata, devices and records, and from what other nodes reported.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::view::{
    AddressState, Holding, LastMove, Membership, Moment, NodeOpinion, Opinion, Overview, Placement,
};
use crate::base::deadline::millis;
use crate::base::timezone;
use crate::cloud::ec2::aws::Listing;
use crate::cloud::{Ec2Fault, Wanted};
use crate::face::cluster::cib::ConfiguredAddress;
use crate::face::cluster::node_state::NodeState;
use crate::face::cluster::status::Status;
use crate::face::cluster::tools::{BRIEF_LIMIT, Tools};
use crate::face::ctl::call::{Failure, Invocation, print, print_json};
use crate::face::ctl::options::JSON;
use crate::face::ctl::show::devices_with;
use crate::face::ctl::subject::of_records;
use crate::face::report::NodeReport;
use crate::params::{ApiSettings, OnStop, ParamError, Timing};
use crate::resource::error::Error;
use crate::resource::kind::Kind;
use crate::resource::recorded::RecordedResource;
use crate::resource::survey::ShownHolder;
use crate::resource::{Action, Report, Request, join_all, op};
use crate::with_kind;
use crate::world::{self, RealWorld};

/// Longest wait for instance metadata and devices: they answer in milliseconds, or not at all.
const OWN_LIMIT: Duration = Duration::from_secs(3);
/// Moves the cursor to the top left and clears the screen (ECMA-48).
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Shows the state once, or again and again.
pub(in crate::face::ctl) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let terminal = std::io::stdout().is_terminal();
    let variable = |name| invocation.environment.get(name);
    let in_colour = terminal && variable("NO_COLOR").is_none() && variable("TERM") != Some("dumb");
    let Some(interval) = invocation.matches.get_one::<u64>("watch") else {
        let overview = collect(invocation)?;
        return if invocation.is_set(JSON) {
            print_json(&overview)
        } else {
            print(&overview.show(in_colour))
        };
    };
    loop {
        let round = invocation.again();
        let shown = match collect(&round) {
            Ok(overview) => overview.show(in_colour),
            Err(Failure::Failed(reason)) => {
                format!("{}: {reason}\n", timezone::local_time(millis(world::now())))
            }
            Err(other) => return Err(other),
        };
        drop(round);
        print(&if terminal { format!("{CLEAR}{shown}") } else { format!("{shown}\n") })?;
        thread::sleep(Duration::from_secs(*interval));
    }
}

/// What Pacemaker's tools say.
struct ToolAnswers {
    addresses: Vec<ConfiguredAddress>,
    listed_by: &'static str,
    node_states: BTreeMap<String, NodeState>,
    status: Option<Status>,
    node: String,
    unseen: Vec<String>,
}

impl ToolAnswers {
    fn of(tools: &Tools, recorded: &[RecordedResource]) -> Self {
        let (cib, status, node) = thread::scope(|scope| {
            let status = scope.spawn(|| tools.status());
            let node = scope.spawn(|| tools.own_name());
            let cib = tools.cib();
            let panicked = |_| Err("internal error".to_owned());
            (cib, status.join().unwrap_or_else(panicked), node.join().unwrap_or_default())
        });
        let mut unseen = Vec::new();
        let (addresses, node_states, listed_by) = match cib {
            Ok(cib) => (cib.addresses, cib.nodes, "cluster"),
            Err(reason) => {
                unseen.push(reason);
                let (addresses, listed_by) = match tools.saved_cib() {
                    Ok(cib) => (cib.addresses, "saved configuration"),
                    Err(_) => (recorded.iter().filter_map(of_records).collect(), "records"),
                };
                (addresses, BTreeMap::new(), listed_by)
            }
        };
        let status = status.map_err(|reason| unseen.push(reason)).ok();
        Self { addresses, listed_by, node_states, status, node, unseen }
    }

    fn placement(&self, resource: &str) -> Option<Placement> {
        let status = self.status.as_ref()?;
        let Some(found) = status.resource(resource) else {
            return Some(Placement { state: "Stopped".to_owned(), ..Placement::default() });
        };
        let nodes: Vec<String> = found.nodes.iter().map(|node| node.name.clone()).collect();
        let state = nodes.first().and_then(|name| self.node_states.get(name));
        let since = state.and_then(|state| state.active_since.get(resource).copied()).map(Moment);
        let mut state = if found.pending.is_empty() { found.role.clone() } else { found.pending.clone() };
        state.extend(found.flag().map(|flag| format!(" ({flag})")));
        if !found.managed {
            state.push_str(" (unmanaged)");
        }
        let is_settled = found.role == "Started" && found.pending.is_empty();
        let machine = match nodes.as_slice() {
            [node] => status.machine_of(node),
            _ => Vec::new(),
        };
        Some(Placement { state, nodes, is_settled, machine, since })
    }

    /// All that is known of an address.
    fn state_of(
        &self,
        address: &ConfiguredAddress,
        own: Own,
        records: Option<&RecordedResource>,
        at: u64,
    ) -> AddressState {
        let (mut ip, mut allocation) = (own.address, own.allocation);
        for name in address.names() {
            if name.starts_with("eipalloc-") { &mut allocation } else { &mut ip }.get_or_insert(name);
        }
        let last = records.and_then(|records| records.durable.history.last());
        let mut state = AddressState {
            resource: address.id.clone(),
            agent: address.agent.resource_type(),
            address: ip,
            allocation,
            cluster: self.placement(&address.id),
            ec2: own.ec2,
            nodes: self.opinions(address, &NodeOpinion { name: self.node.clone(), ..own.opinion }, at),
            last_move: last.map(|change| LastMove {
                at: Moment(change.at_ms),
                action: change.action.clone(),
                from: change.from.clone(),
                to: change.to.clone(),
                took_ms: change.took_ms,
            }),
            disagreements: Vec::new(),
            is_left: own.is_left,
        };
        state.disagreements = state.contradictions(&self.node);
        state
    }

    /// What the other nodes say of a resource, and this one in its place among them.
    fn opinions(&self, address: &ConfiguredAddress, own: &NodeOpinion, at: u64) -> Vec<NodeOpinion> {
        let resource = address.id.as_str();
        let changed = self.node_states.values().filter_map(|state| state.changed.get(resource)).max();
        let mut names: Vec<&String> = match &self.status {
            Some(status) => status.nodes.iter().map(|node| &node.name).collect(),
            None => self.node_states.keys().collect(),
        };
        if !names.contains(&&self.node) {
            names.push(&self.node);
        }
        let opinion = |name: &String| {
            let report = self.node_states.get(name).and_then(|state| state.report(resource)?.ok());
            let fresh = report.as_ref().filter(|report| report.is_fresh(at / 1000));
            let mut opinion = NodeOpinion { name: name.clone(), ..NodeOpinion::default() };
            if *name == self.node {
                opinion = own.clone();
                // What the last report adds to what this node found out now: dry runs are not made here.
                if let (Opinion::Yes, Some(NodeReport { ready: Some(false), reason, .. })) =
                    (own.ready, fresh)
                {
                    (opinion.ready, opinion.reason) = (Opinion::No, reason.clone());
                }
            } else if let Some(report) = &report {
                let outdated = if fresh.is_some() { "" } else { "the report is too old: " };
                opinion.here = fresh.and_then(|report| report.here).into();
                opinion.ready = fresh.and_then(|report| report.ready).into();
                opinion.reason = format!("{outdated}{}", report.reason);
                opinion.age_s = Some((at / 1000).saturating_sub(report.at));
                opinion.is_outdated = changed.is_some_and(|changed| report.at <= *changed / 1000);
            }
            let known = self.status.iter().flat_map(|status| &status.nodes).find(|node| node.name == *name);
            let obstacle = known
                .and_then(|node| if node.online { node.flags.first().copied() } else { Some("offline") })
                .map(str::to_owned);
            let ban = || address.ban(self.status.as_ref()?, name);
            if let Some(obstacle) = obstacle.or_else(ban) {
                (opinion.ready, opinion.reason) = (Opinion::No, obstacle);
            }
            opinion
        };
        names.into_iter().map(opinion).collect()
    }
}

/// Resources that reach AWS in the same way, so that one listing serves them all.
struct Reach {
    api: ApiSettings,
    timing: Timing,
    resource: String,
    wanted: Vec<Wanted>,
}

impl Reach {
    fn of<K: Kind<RealWorld>>(one: &ConfiguredAddress) -> Result<Self, ParamError> {
        let params = K::parse(&one.configuration.parameters)?;
        let (common, wanted) = (K::common(&params), K::wanted(&params).into_iter().collect());
        Ok(Self { api: common.api.clone(), timing: *common.timing, resource: one.id.clone(), wanted })
    }

    /// Groups the resources. One whose configuration is wrong or undecided is in no group.
    fn all(addresses: &[ConfiguredAddress]) -> Vec<Self> {
        let mut reaches: Vec<Self> = Vec::new();
        for one in addresses.iter().filter(|one| one.configuration.undecided().is_none()) {
            let Ok(reach) = with_kind!(one.agent, K => Self::of::<K>(one)) else { continue };
            match reaches.iter_mut().find(|known| known.api == reach.api) {
                Some(known) => known.wanted.extend(reach.wanted),
                None => reaches.push(reach),
            }
        }
        reaches
    }

    async fn list(&self, invocation: &Invocation<'_>) -> Result<Arc<Listing>, String> {
        let world = invocation.world(&self.resource, &self.api, &self.timing).map_err(Failure::text)?;
        let limit = invocation.deadline.left().saturating_sub(OWN_LIMIT);
        Ok(Arc::new(Box::pin(world.ec2.list(&self.wanted, &invocation.deadline.within(limit))).await))
    }
}

fn collect(invocation: &Invocation<'_>) -> Result<Overview, Failure> {
    let tools = invocation.tools(BRIEF_LIMIT);
    let (recorded, unread) = invocation.on_record();
    let mut answers = ToolAnswers::of(&tools, &recorded);
    answers.unseen.extend(unread);
    if answers.addresses.is_empty() {
        let none =
            if answers.listed_by == "cluster" { "the cluster has none" } else { "none on record here" };
        let reasons = [vec![none.to_owned()], answers.unseen].concat().join("; ");
        return Err(Failure::Failed(format!("no address to show: {reasons}")));
    }
    for address in &mut answers.addresses {
        let given = invocation.parameters(address.agent.parameters);
        address.configuration.replace(given);
    }
    let nodes = [answers.node.clone()];
    let found = invocation.run(async { Ok(look_at_all(invocation, &answers.addresses, &nodes).await) })?;
    let at = Moment(millis(world::now()));
    let mut unseen = std::mem::take(&mut answers.unseen);
    let mut addresses = Vec::new();
    for (address, mut own) in answers.addresses.iter().zip(found) {
        own.unseen.retain(|reason| !unseen.contains(reason));
        unseen.append(&mut own.unseen);
        let records = recorded.iter().find(|records| records.resource == address.id);
        addresses.push(answers.state_of(address, own, records, at.0));
    }
    let cluster = answers.status.map(|status| Membership {
        quorum: status.quorum,
        nodes: status.nodes.into_iter().map(|node| node.name).collect(),
    });
    Ok(Overview { at, node: answers.node, listed_by: answers.listed_by, cluster, unseen, addresses })
}

/// Asks EC2 for all addresses, and this node for each.
async fn look_at_all(
    invocation: &Invocation<'_>,
    addresses: &[ConfiguredAddress],
    nodes: &[String],
) -> Vec<Own> {
    let reaches = Reach::all(addresses);
    let listings = join_all(reaches.iter().map(|reach| reach.list(invocation))).await;
    let listings: Vec<_> = reaches.iter().map(|reach| &reach.api).zip(listings).collect();
    let listings = listings.as_slice();
    let works = addresses.iter().map(|address| async move {
        let own = with_kind!(address.agent, K => Own::find::<K>(invocation, address, nodes, listings).await);
        own.unwrap_or_else(Own::unknown)
    });
    join_all(works).await
}

/// What this node found out about one address.
struct Own {
    address: Option<String>,
    allocation: Option<String>,
    ec2: Holding,
    opinion: NodeOpinion,
    is_left: bool,
    unseen: Vec<String>,
}

impl Own {
    fn unknown(reason: String) -> Self {
        let ec2 = Holding::unknown(&reason);
        let opinion =
            NodeOpinion { here: Opinion::Unknown, ready: Opinion::No, reason, ..NodeOpinion::default() };
        Self { address: None, allocation: None, ec2, opinion, is_left: false, unseen: Vec::new() }
    }

    /// What EC2, instance metadata and the place of the address say.
    async fn find<K: Kind<RealWorld>>(
        invocation: &Invocation<'_>,
        address: &ConfiguredAddress,
        nodes: &[String],
        listings: &[(&ApiSettings, Result<Arc<Listing>, String>)],
    ) -> Result<Self, String> {
        if let Some(reason) = address.configuration.undecided() {
            let mut own = Self::unknown(reason);
            own.opinion.ready = Opinion::Unknown;
            return Ok(own);
        }
        let parse = |raw: &BTreeMap<String, String>| K::parse(raw).map_err(|error| error.to_string());
        let raw = &address.configuration.parameters;
        let mut request = Request {
            action: Action::Monitor { level: 10 },
            params: parse(raw)?,
            deadline: invocation.deadline.within(OWN_LIMIT),
            nodes: nodes.to_vec(),
        };
        let common = K::common(&request.params);
        let add_to_device = common.add_to_device;
        let mut own = Own { is_left: common.on_stop == OnStop::Leave, ..Own::unknown(String::new()) };
        let listing = listings.iter().find(|(api, _)| *api == common.api);
        let listing = listing.ok_or("the configuration names no address")?.1.clone()?;
        let wanted = K::wanted(&request.params);
        let failure = wanted.as_ref().and_then(|wanted| listing.failure(wanted));
        let mut world = invocation.querying::<K>(&address.id, &request.params).map_err(Failure::text)?;
        world.ec2.answer_from(Arc::clone(&listing));
        let (by_ec2, mut by_metadata) = if let Some(error) = failure {
            own.unseen.push(error.to_string());
            (Err(error.to_string()), op::<K, _>(&world, &request).by_metadata().await)
        } else {
            let survey = op::<K, _>(&world, &request).survey().await;
            (survey.by_ec2.map_err(|error| error.to_string()), survey.by_metadata)
        };
        // An Elastic IP that is configured by its allocation id has its address from EC2; metadata can be queried only then.
        if let (Ok(shown), Some(Err(Error::NotHere(_)))) = (&by_ec2, &by_metadata) {
            let mut named = raw.clone();
            named.insert("elastic_ip".to_owned(), shown.address.to_string());
            request.params = parse(&named)?;
            by_metadata = op::<K, _>(&world, &request).by_metadata().await;
        }
        let ready = op::<K, _>(&world, &request).is_ready().await;
        match by_ec2 {
            Ok(shown) => {
                (own.address, own.allocation) = (Some(shown.address.to_string()), shown.other_name);
                let is_silent = matches!(by_metadata, Some(Err(Error::Imds(_))))
                    || matches!(ready, Err(Error::Imds(_) | Error::NotEc2(_)));
                let is_vague = is_silent && shown.answer == "elsewhere";
                let ShownHolder { answer, sentence: text, holder, .. } = shown;
                own.ec2 = Holding { answer, text, holder, is_vague };
            }
            Err(error) => own.ec2 = Holding::unknown(&error),
        }
        let configured = address.names();
        let ip = own.address.iter().chain(&configured).find_map(|name| name.parse().ok());
        if let Some(ip) = ip.filter(|_| add_to_device) {
            let devices = devices_with(ip).await;
            own.opinion.devices = devices.map_err(|error| own.unseen.push(error.to_string())).ok();
        }
        (own.opinion.here, own.opinion.reason) = match by_metadata {
            Some(Ok(Report::Done)) => (Opinion::Yes, String::new()),
            Some(Ok(Report::NotHere(why))) => (Opinion::No, why),
            Some(Err(error)) => {
                own.unseen.push(error.to_string());
                (Opinion::Unknown, error.to_string())
            }
            None if !add_to_device => (Opinion::Unknown, String::new()),
            None => {
                let on_host = K::on_host(&op::<K, _>(&world, &request)).await.ok();
                (on_host.map(|report| report == Report::Done).into(), String::new())
            }
        };
        own.opinion.ready = match (ready, failure) {
            (Ok(_), None) => Opinion::Yes,
            (Ok(_), Some(error)) => {
                own.opinion.reason = error.to_string();
                // If AWS gives no answer, that need not be this node's fault.
                let of_aws = matches!(error.fault, Ec2Fault::Silent | Ec2Fault::Throttled);
                if of_aws { Opinion::Unknown } else { Opinion::No }
            }
            (Err(error), _) => {
                own.opinion.reason = error.to_string();
                Opinion::No
            }
        };
        Ok(own)
    }
}
