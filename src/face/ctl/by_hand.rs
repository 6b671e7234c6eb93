//! `eipctl claim` and `eipctl release`: start and stop by hand, without a cluster.

use super::call::{BY_HAND, Failure, Invocation, print};
use crate::params::Params;
use crate::resource::elastic::{self, Elastic, Entry};
use crate::resource::{self, Action, Request};
use crate::state::Records as _;

/// Moves the address to this node.
pub(super) fn claim(invocation: &Invocation<'_>) -> Result<(), Failure> {
    act(invocation, Action::Start, invocation.params()?)
}

/// Disassociates the address from this node.
pub(super) fn release(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let mut raw = invocation.raw();
    // A person is there to see the failure.
    raw.insert("on_stop".to_owned(), "strict".to_owned());
    act(invocation, Action::Stop, Params::parse(&raw)?)
}

fn act(invocation: &Invocation<'_>, action: Action, params: Params) -> Result<(), Failure> {
    let entries = invocation.on_record_about(&params);
    let dry_run = invocation.is_set("dry-run");
    let cluster = entries.iter().find(|entry| entry.running && !is_by_hand(entry));
    if let Some(entry) = cluster.filter(|_| !invocation.is_set("force")) {
        let (name, address) = (&entry.resource, invocation.text(super::options::ADDRESS).unwrap_or_default());
        return Err(Failure::Failed(format!(
            "{name} runs with {address} on this node: let its own manager act (pcs, crm_resource, Heartbeat, \
             Keepalived), or use --force"
        )));
    }
    // One record per address, whether it is named by the address or by its allocation id.
    let own = entries.iter().find(|entry| is_by_hand(entry)).map(|entry| entry.resource.clone());
    let named = || {
        let allocation = params.allocation_id.as_ref().map(ToString::to_string);
        params.elastic_ip.map(|ip| ip.to_string()).or(allocation).unwrap_or_default()
    };
    let resource = own.unwrap_or_else(|| format!("{BY_HAND}-{}", named()));
    let mut world = invocation.world(&resource, &params.api, &params.timing)?;
    let request: Request = invocation.request(action, params);
    if dry_run {
        world.records = world.records.read_only();
        let sentence = match action {
            Action::Stop => invocation.run(elastic::would_stop(&world, &request))?,
            _ => invocation.run(elastic::would_start(&world, &request))?,
        };
        return print(&format!("{sentence}\n"));
    }
    let before = world.records.durable().history;
    invocation.run(resource::run::<Elastic, _>(&world, &request))?;
    let changed = world.records.durable().history != before;
    let address = invocation.text(super::options::ADDRESS).unwrap_or_default();
    print(&match (action, changed) {
        (Action::Stop, true) => format!("{address} let go\n"),
        (Action::Stop, false) => format!("{address} is not on this node: nothing to release\n"),
        (_, true) => format!("{address} is on this node now\n"),
        (_, false) => format!("{address} is on this node already\n"),
    })
}

fn is_by_hand(entry: &Entry) -> bool {
    entry.resource == BY_HAND || entry.resource.starts_with("eipctl-")
}
