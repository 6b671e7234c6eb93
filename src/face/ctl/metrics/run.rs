//! Collects the metrics and writes them, for `node_exporter`'s textfile collector.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::exposition::{AddressMetrics, exposition};
use crate::base::small_file;
use crate::face::cluster::node_state::NodeState;
use crate::face::cluster::tools::BRIEF_LIMIT;
use crate::face::ctl::call::{Failure, Invocation, print};
use crate::face::ctl::show::devices_with;
use crate::face::ctl::subject::Subject;
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
    let node = cib.as_mut().ok().and_then(|cib| cib.nodes.remove(&tools.node_name()?));
    // Of the saved configuration only the addresses: its reports are of no node's present.
    let addresses = cib.or_else(|_| tools.saved_cib()).map(|cib| cib.addresses);
    let subjects = Subject::all(invocation, &tools, addresses);
    let known = |subject: &Subject| metrics_of(invocation, subject, node.as_ref());
    let page = exposition(&subjects.iter().map(known).collect::<Vec<_>>());
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

fn metrics_of(invocation: &Invocation<'_>, subject: &Subject, node: Option<&NodeState>) -> AddressMetrics {
    let resource = subject.resource();
    let held = with_kind!(subject.agent, K => held::<K>(invocation, subject)).unwrap_or_else(|failure| {
        // One address that is configured wrongly hides no other.
        if let Failure::Usage(reason) | Failure::Failed(reason) = failure {
            invocation.log.warn(format_args!("{resource}: {reason}"));
        }
        None
    });
    let records = world::records(&invocation.environment(resource), &invocation.log);
    let now = world::host().now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if held.is_some() {
        records.update_tally(|tally| tally.checked = Some(now));
    }
    let durable = records.durable();
    // The same label on every node: while the cluster is down, a node may know the address by its other name.
    let of_allocation = |pair: &Pair| pair.allocation.as_ref() == subject.address;
    let pair = durable.pair.filter(of_allocation);
    let mut history = durable.history;
    history.retain(|change| change.action != "stop" && change.action != "release");
    AddressMetrics {
        resource: resource.to_owned(),
        address: pair.map_or_else(|| subject.address.clone(), |pair| pair.public_ip.to_string()),
        agent: subject.agent.name,
        held,
        tally: records.tally(),
        takeover: history.pop(),
        report: node.and_then(|node| Some(node.report(resource)?.ok()?.as_of(now))),
    }
}

/// Whether this node has the address: according to instance metadata, or to the network device for a kind that it does not show, or to
/// the record if it is on no device. `None` if that is not known.
fn held<K: Kind<RealWorld>>(invocation: &Invocation<'_>, subject: &Subject) -> Result<Option<bool>, Failure> {
    let (request, world) = subject.query::<K>(invocation, Action::Monitor { level: 0 })?;
    let address = subject.address.parse();
    let op = op::<K, _>(&world, &request);
    invocation.run(async {
        Ok(match (op.by_metadata().await, address) {
            (Some(Ok(seen)), _) => Some(seen == Report::Done),
            (None, _) if !K::common(&request.params).add_to_device => {
                Some(world.records.volatile().is_running(&world::host().boot_id()))
            }
            (Some(Err(_)), _) | (None, Err(_)) => None,
            (None, Ok(ip)) => devices_with(ip).await.ok().map(|devices| !devices.is_empty()),
        })
    })
}
