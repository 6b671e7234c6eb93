//! Collects the metrics and writes them, for `node_exporter`'s textfile collector.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::exposition::{AddressMetrics, exposition};
use crate::base::small_file;
use crate::face::cluster::cib::ConfiguredAddress;
use crate::face::cluster::node_state::NodeState;
use crate::face::cluster::tools::BRIEF_LIMIT;
use crate::face::ctl::call::{Failure, Invocation, print};
use crate::face::ctl::subject::on_record;
use crate::host::Host as _;
use crate::resource::kind::Kind;
use crate::resource::{Action, Report, op};
use crate::state::{Pair, Records as _};
use crate::with_kind;
use crate::world::{self, RealWorld};

/// Writes the metrics of every address. Makes no call to EC2.
pub(in crate::face::ctl) fn run(invocation: &Invocation<'_>) -> Result<(), Failure> {
    let output = invocation.text("output").filter(|path| *path != "-");
    if let Some(path) = output.filter(|path| Path::new(path).extension().is_none_or(|end| end != "prom")) {
        return Err(Failure::Usage(format!(
            "--output {path}: the name must end in .prom, node_exporter reads no other file"
        )));
    }
    let tools = invocation.tools(BRIEF_LIMIT);
    let mut cib = tools.cib();
    let name = tools.own_name();
    let node = cib.as_mut().ok().and_then(|cib| cib.nodes.remove(&name));
    // Of the saved configuration only the addresses: its reports are of no node's present.
    let configured = cib.or_else(|_| tools.saved_cib()).map(|cib| cib.addresses);
    let configured = configured.unwrap_or_else(|_| on_record(&invocation.on_record()));
    let known = configured.iter().filter_map(|one| metrics_of(invocation, one, &name, node.as_ref()));
    let page = exposition(&known.collect::<Vec<_>>());
    match output {
        None => print(&page),
        // Others may read it, whatever the umask: the collector runs as another user. It does not read a temporary file, which is
        // not `.prom`.
        Some(path) => {
            let shared = |file: &File| file.set_permissions(Permissions::from_mode(0o644));
            small_file::replace(Path::new(path), &page, 0o644, shared)
                .map_err(|error| Failure::Failed(format!("{path}: {error}")))
        }
    }
}

/// What is known about an address on this node, with the name of this node in the cluster; `None` if the resource has no address.
fn metrics_of(
    invocation: &Invocation<'_>,
    configured: &ConfiguredAddress,
    name: &str,
    node: Option<&NodeState>,
) -> Option<AddressMetrics> {
    let (resource, agent) = (configured.id.as_str(), configured.agent);
    let address = configured.names().into_iter().next()?;
    let held = with_kind!(agent, K => held::<K>(invocation, configured, name));
    let held = held.unwrap_or_else(|failure| {
        // One address that is configured wrongly hides no other.
        invocation.log.warn(format_args!("{resource}: {}", failure.text()));
        None
    });
    let records = world::records(&invocation.environment_of(resource), &invocation.log);
    let now = world::now().as_secs();
    if held.is_some() {
        records.update_tally(|tally| tally.checked = Some(now));
    }
    let durable = records.durable();
    // The same label on every node: while the cluster is down, a node may know the address by its other name.
    let of_allocation = |pair: &Pair| pair.allocation.as_ref() == address;
    let pair = durable.pair.filter(of_allocation);
    let mut history = durable.history;
    history.retain(|change| change.action != "stop" && change.action != "release");
    Some(AddressMetrics {
        resource: resource.to_owned(),
        address: pair.map_or(address, |pair| pair.public_ip.to_string()),
        agent: agent.name,
        held,
        tally: records.tally(),
        takeover: history.pop(),
        report: node.and_then(|node| Some(node.report(resource)?.ok()?.as_of(now))),
    })
}

/// Whether this node has the address: according to instance metadata, or to the network device for a kind that it does not show, or to
/// the record if it is on no device. `None` if that is not known.
fn held<K: Kind<RealWorld>>(
    invocation: &Invocation<'_>,
    configured: &ConfiguredAddress,
    name: &str,
) -> Result<Option<bool>, Failure> {
    let (action, nodes) = (Action::Monitor { level: 0 }, [name.to_owned()]);
    let request = invocation.request::<K>(action, &configured.configuration, &nodes)?;
    let world = invocation.querying::<K>(&configured.id, &request.params)?;
    let op = op::<K, _>(&world, &request);
    invocation.run(async {
        let seen = match op.by_metadata().await {
            None if !K::common(&request.params).add_to_device => {
                return Ok(Some(world.records.volatile().is_running(&world::host().boot_id())));
            }
            None => K::on_host(&op).await.ok(),
            Some(seen) => seen.ok(),
        };
        Ok(seen.map(|seen| seen == Report::Done))
    })
}
