//! The address that a command is about: its kind, its parameters, and the cluster's resource for it.
//!
//! They come from the cluster's configuration (from the one that Pacemaker saved, while the cluster is down), otherwise from an
//! option, otherwise from this node's records. A public address that is in none of these is an Elastic IP.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::call::{Failure, Invocation};
use super::options::{ADDRESS, ROUTE_TABLE, VIP};
use crate::face::cluster::cib::{Configuration, ConfiguredAddress, normal};
use crate::face::cluster::tools::BRIEF_LIMIT;
use crate::ocf::agent::{self, Agent};
use crate::resource::by_hand::{BY_HAND, is_by_hand};
use crate::resource::kind::Kind;
use crate::resource::recorded::{RecordedResource, parameters};
use crate::resource::surroundings::is_shared;
use crate::resource::{Action, Request};
use crate::world::RealWorld;

/// The address that a command is about.
pub(super) struct Subject {
    /// The address or its allocation id, as the operator or the cluster names it.
    pub address: String,
    /// The agent for this kind of address.
    pub agent: &'static Agent,
    /// Parameters: those that are configured or on record, replaced by those of the command line.
    pub configuration: Configuration,
    /// The cluster's resource with this address, if there is one. If the cluster does not run here, that of the configuration
    /// that it saved; the reason why it does not answer if that has none.
    pub configured: Result<Option<ConfiguredAddress>, String>,
    /// The cluster's resource, of whatever agent, that has this address among its parameters; if the cluster does not run here,
    /// according to the configuration that it saved.
    pub listed: Option<String>,
    /// Whether this may be such an address under its other name.
    pub may_be_another: bool,
    /// What this node has on record about it.
    pub recorded: Vec<RecordedResource>,
    /// Why there may be more on record, if the records cannot all be read.
    pub unread: Option<String>,
    /// The cluster's name for this node, if the parameters depend on it.
    pub nodes: Vec<String>,
}

impl Subject {
    /// The address on the command line; without one, that of the cluster, if it has only one. If neither the cluster's configuration
    /// nor the saved one can be read, the only one on record.
    pub(super) fn of(invocation: &Invocation<'_>) -> Result<Self, Failure> {
        Self::named(invocation, &[], true)
    }

    /// The same; `others` are other names of the address, and an option may give the kind if `by_option`.
    pub(super) fn named(
        invocation: &Invocation<'_>,
        others: &[String],
        by_option: bool,
    ) -> Result<Self, Failure> {
        let tools = invocation.tools(BRIEF_LIMIT);
        let live = tools.cib();
        let saved = if live.is_err() { tools.saved_cib().ok() } else { None };
        let known = live.as_ref().ok().or(saved.as_ref());
        let (mut recorded, unread) = invocation.on_record();
        let address = if let Some(given) = invocation.text(ADDRESS) {
            normal(given)
        } else {
            let (of, all) = if let Some(cib) = known {
                ("the cluster has".to_owned(), cib.addresses.clone())
            } else {
                let reasons: Vec<_> = live.as_ref().err().into_iter().chain(&unread).cloned().collect();
                (format!("{}; on record here:", reasons.join("; ")), on_record(&recorded))
            };
            let named = |one: &ConfiguredAddress| Some((one.names().into_iter().next()?, one.id.clone()));
            only("ADDRESS", &of, all.iter().filter_map(named))?
        };
        let mut names = vec![address.clone()];
        names.extend_from_slice(others);
        recorded.retain(|records| records.is_about(&names));
        names.extend(recorded.iter().flat_map(RecordedResource::names));
        let is_this = |one: &&ConfiguredAddress| one.names().iter().any(|name| names.contains(name));
        let found = known.and_then(|cib| cib.addresses.iter().find(is_this)).cloned();
        let configured = match &live {
            Err(reason) if found.is_none() => Err(reason.clone()),
            _ => Ok(found),
        };
        let listed = known.and_then(|cib| cib.resource_with(&names)).map(str::to_owned);

        let overlay = !invocation.texts(ROUTE_TABLE).is_empty();
        let option = overlay.then_some(&agent::OVERLAY_IP);
        let option = if invocation.is_set(VIP) { Some(&agent::VIP) } else { option };
        let option = option.filter(|_| by_option || !is_public(&address));
        let found = configured.as_ref().ok().and_then(Option::as_ref);
        let agent = match (found, option) {
            (Some(found), Some(option)) if found.agent.name != option.name && by_option => {
                let (id, kind, other) = (&found.id, found.agent.resource_type(), option.resource_type());
                return Err(Failure::Usage(format!("{address} belongs to {kind} ({id}), not to {other}")));
            }
            (Some(found), _) => found.agent,
            (None, Some(option)) => option,
            (None, None) => {
                let recorded = recorded.iter().find_map(RecordedResource::agent);
                let known = recorded.or_else(|| is_public(&address).then_some(&agent::EIP));
                known.ok_or_else(|| {
                    if let Some(reason) = &unread {
                        return Failure::Failed(format!("{address} is not a public address, and {reason}"));
                    }
                    // A flag counts as contained in every command that has it.
                    let advice = match invocation.matches.try_contains_id(VIP) {
                        Ok(true) => {
                            ": add --vip for a secondary private address, --route-table ID for an overlay address"
                        }
                        _ => "",
                    };
                    Failure::Usage(format!(
                        "{address} is not a public address, and neither the cluster nor this node's records know \
                         it{advice}"
                    ))
                })?
            }
        };
        let of_record = || of_record(agent, &address, &recorded);
        let mut configuration = found.map_or_else(of_record, |found| found.configuration.clone());
        configuration.replace(from_options(invocation, agent, by_option)?);
        if invocation.text(ADDRESS).is_some() {
            // The operator has chosen.
            let Configuration { parameters, undecided, .. } = &mut configuration;
            let is_chosen = |name: &str| parameters.get(name).is_some_and(|value| normal(value) == address);
            undecided.retain(|name| !(agent.address.contains(&name.as_str()) && is_chosen(name)));
        }
        let private_ips = configuration.parameters.get("private_ip_address");
        let is_list = private_ips.is_some_and(|value| value.contains('='));
        let nodes = if is_list { tools.node_name().into_iter().collect() } else { Vec::new() };
        let may_be_another = listed.is_none()
            && agent.address.contains(&"allocation_id")
            && known.is_some_and(|cib| cib.has_other_names(&address));
        Ok(Self {
            address,
            agent,
            configuration,
            configured,
            listed,
            may_be_another,
            recorded,
            unread,
            nodes,
        })
    }

    /// The resource whose records a query may use.
    pub(super) fn resource(&self) -> &str {
        match (&self.configured, self.recorded.first()) {
            (Ok(Some(found)), _) => &found.id,
            (_, Some(records)) => &records.resource,
            (_, None) => BY_HAND,
        }
    }

    /// A request about the address, with the services for a query, which change no record.
    pub(super) fn query<K: Kind<RealWorld>>(
        &self,
        invocation: &Invocation<'_>,
        action: Action,
    ) -> Result<(Request<K::Params>, RealWorld), Failure> {
        let request = invocation.request::<K>(action, &self.configuration, &self.nodes)?;
        let world = invocation.querying::<K>(self.resource(), &request.params)?;
        Ok((request, world))
    }
}

/// The first name of the only one of these; otherwise a failure that lists them with their second names, for a person to choose.
pub(super) fn only(
    argument: &str,
    of: &str,
    known: impl Iterator<Item = (String, String)>,
) -> Result<String, Failure> {
    let known: Vec<_> = known.collect();
    if let [(name, _)] = known.as_slice() {
        return Ok(name.clone());
    }
    let shown: Vec<_> = known.iter().map(|(name, other)| format!("{name} ({other})")).collect();
    let shown = if shown.is_empty() { "no address".to_owned() } else { shown.join(", ") };
    Err(Failure::Usage(format!("{argument} is needed: {of} {shown}")))
}

/// The parameters that follow from the address and from this node's records.
fn of_record(agent: &Agent, address: &str, recorded: &[RecordedResource]) -> Configuration {
    let tables = recorded.iter().find_map(|records| records.durable.tables.as_ref());
    let parameters = parameters(agent, address, tables);
    Configuration { parameters, ..Configuration::default() }
}

/// A resource that only a record of this node knows.
pub(super) fn of_records(records: &RecordedResource) -> Option<ConfiguredAddress> {
    let (agent, address) = (records.agent()?, records.names().into_iter().next()?);
    let configuration = of_record(agent, &address, std::slice::from_ref(records));
    Some(ConfiguredAddress { id: records.resource.clone(), agent, configuration })
}

/// The resources of a cluster that only the records of this node know.
pub(super) fn on_record(recorded: &[RecordedResource]) -> Vec<ConfiguredAddress> {
    recorded.iter().filter(|records| !is_by_hand(&records.resource)).filter_map(of_records).collect()
}

/// The parameters on the command line; one that another kind has is refused. The route tables are among them if `by_option`.
fn from_options(
    invocation: &Invocation<'_>,
    agent: &Agent,
    by_option: bool,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut raw = BTreeMap::new();
    for other in agent::ALL {
        let values = invocation.parameters(other.parameters);
        if let Some(foreign) = values.keys().find(|name| !agent.has(name)) {
            let (option, kind) = (foreign.replace('_', "-"), agent.resource_type());
            return Err(Failure::Usage(format!("--{option} does not apply to {kind}")));
        }
        raw.extend(values);
    }
    let tables = invocation.texts(ROUTE_TABLE);
    if by_option && agent.has("routing_table") && !tables.is_empty() {
        raw.insert("routing_table".to_owned(), tables.join(","));
    }
    Ok(raw)
}

/// Whether it can be an Elastic IP or its allocation id. Anything that is not an address counts too: parsing the parameter
/// then reports what is expected.
fn is_public(address: &str) -> bool {
    match address.parse() {
        Ok(IpAddr::V4(ip)) => !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || is_shared(ip)),
        Ok(IpAddr::V6(_)) => false,
        Err(_) => true,
    }
}
