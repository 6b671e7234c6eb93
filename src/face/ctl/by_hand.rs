//! `eipctl claim` and `eipctl release`: start and stop by hand, without a cluster.

use super::call::{Failure, Invocation, print};
use super::show::devices_with;
use super::subject::Subject;
use crate::resource::by_hand::{BY_HAND, is_by_hand};
use crate::resource::kind::Kind;
use crate::resource::{self, Action, op};
use crate::with_kind;
use crate::world::RealWorld;

/// Moves the address to this node.
pub(super) fn claim(invocation: &Invocation<'_>) -> Result<(), Failure> {
    invocation.refuse_stranger()?;
    let mut subject = Subject::of(invocation)?;
    if subject.may_be_another && !invocation.is_set("force") {
        // The cluster may name it by its address, and the operator by its id, or the other way round.
        let (address, other) = with_kind!(subject.agent, K => {
            let (request, world) = subject.query::<K>(invocation, Action::Start)?;
            invocation.run(K::address(&op::<K, _>(&world, &request)))?
        });
        let names: Vec<_> = [Some(address.to_string()), other].into_iter().flatten().collect();
        subject = Subject::named(invocation, &names, true)?;
    }
    refuse_managed(invocation, &subject, Action::Start)?;
    with_kind!(subject.agent, K => act::<K>(invocation, &subject, Action::Start))
}

/// Releases the address from this node.
pub(super) fn release(invocation: &Invocation<'_>) -> Result<(), Failure> {
    invocation.refuse_stranger()?;
    let mut subject = Subject::of(invocation)?;
    refuse_managed(invocation, &subject, Action::Stop)?;
    if subject.agent.has("on_stop") {
        // A person is there to see the failure.
        subject.configuration.replace([("on_stop".to_owned(), "strict".to_owned())].into());
    }
    with_kind!(subject.agent, K => act::<K>(invocation, &subject, Action::Stop))
}

/// Refuses an address that is another manager's to move, unless forced. A release only ends what is here, so only a resource
/// that runs here is in its way.
fn refuse_managed(invocation: &Invocation<'_>, subject: &Subject, action: Action) -> Result<(), Failure> {
    const REMEDY: &str = "let its own manager act (pcs, crm_resource, Heartbeat, Keepalived), or use --force";
    if invocation.is_set("force") {
        return Ok(());
    }
    let address = &subject.address;
    let mut managed = subject.recorded.iter().filter(|records| !is_by_hand(&records.resource));
    if let Some(records) = managed.clone().find(|records| records.running) {
        let name = &records.resource;
        return Err(format!("{name} runs with {address} on this node: {REMEDY}").into());
    }
    if let Some(reason) = &subject.unread {
        return Err(format!("a resource may run with {address} on this node: {reason}").into());
    }
    match (&subject.configured, &subject.listed, managed.next()) {
        _ if action == Action::Stop => Ok(()),
        (_, Some(id), _) => Err(format!("the cluster has {address} in its resource {id}: {REMEDY}").into()),
        (Err(reason), None, Some(records)) => {
            let name = &records.resource;
            Err(format!(
                "{name} has had {address} on this node, and may run on another one ({reason}): {REMEDY}"
            )
            .into())
        }
        _ => Ok(()),
    }
}

fn act<K: Kind<RealWorld>>(
    invocation: &Invocation<'_>,
    subject: &Subject,
    action: Action,
) -> Result<(), Failure> {
    let address = &subject.address;
    let request = invocation.request::<K>(action, &subject.configuration, &subject.nodes)?;
    // One record per address, whether it is named by the address or by its allocation id.
    let own = subject.recorded.iter().find(|records| is_by_hand(&records.resource));
    let resource = own.map_or_else(|| format!("{BY_HAND}-{address}"), |records| records.resource.clone());
    let common = K::common(&request.params);
    let mut world = invocation.world(&resource, common.api, common.timing)?;
    if invocation.is_set("dry-run") {
        world.records = world.records.read_only();
        let op = op::<K, _>(&world, &request);
        let sentence = match action {
            Action::Stop => invocation.run(op.would_stop())?,
            _ => invocation.run(op.would_start())?,
        };
        return print(&format!("{sentence}\n"));
    }
    invocation.run(resource::run::<K, _>(&world, &request))?;
    let changed = world.records.has_moved();
    if let (Action::Stop, Ok(ip), true) = (action, address.parse(), common.add_to_device) {
        let left = invocation.run(async { Ok(devices_with(ip).await.unwrap_or_default()) })?;
        if !left.is_empty() {
            return Err(format!("{address} is still on {} of this node", left.join(", ")).into());
        }
    }
    print(&match (action, changed) {
        (Action::Stop, _) if !subject.agent.has("on_stop") => format!("{address} is {}\n", K::WORDS.left),
        (Action::Stop, true) => format!("{address} released\n"),
        (Action::Stop, false) => format!("{address} is not on this node: nothing to release\n"),
        (_, true) => format!("{address} is on this node now\n"),
        (_, false) => format!("{address} is on this node already\n"),
    })
}
