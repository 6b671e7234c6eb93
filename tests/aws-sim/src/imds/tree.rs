//! An instance's metadata as a tree of texts; listings are derived from the leaves.

use std::collections::BTreeMap;

use eip::base::ids::InstanceId;
use eip::cloud::model::{ACCOUNT, Instance, NetworkInterface, REGION, VPC};

use crate::world::SimulatorState;

/// The text at `path`: a value, or the names in a directory; `None` if there is nothing.
pub(super) fn read(world: &SimulatorState, id: &InstanceId, path: &str) -> Option<String> {
    let leaves = leaves(world, &world.account.metadata(id)?);
    let path = path.strip_prefix("/latest/")?;
    leaves.get(path).cloned().or_else(|| list(&leaves, path))
}

/// Lists a directory, one name per line, with a slash after directories.
fn list(leaves: &BTreeMap<String, String>, path: &str) -> Option<String> {
    let below = format!("{}/", path.trim_end_matches('/'));
    let below = if below == "/" { "" } else { below.as_str() };
    let mut names: Vec<String> = leaves
        .keys()
        .filter_map(|leaf| leaf.strip_prefix(below))
        .map(|rest| rest.split_once('/').map_or_else(|| rest.to_owned(), |(name, _)| format!("{name}/")))
        .collect();
    names.dedup();
    (!names.is_empty()).then(|| names.join("\n"))
}

fn leaves(world: &SimulatorState, instance: &Instance) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    let mut put = |path: &str, value: String| leaves.insert(format!("meta-data/{path}"), value);
    put("instance-id", instance.id.to_string());
    put("placement/region", REGION.to_owned());
    if let Some(role) = super::credentials::visible_role(world, instance) {
        put(&format!("iam/security-credentials/{role}"), String::new());
    }
    if let Some(primary) = instance.interfaces.first() {
        put("mac", primary.mac.to_string());
    }
    for interface in &instance.interfaces {
        for (name, value) in interface_leaves(world, interface) {
            put(&format!("network/interfaces/macs/{}/{name}", interface.mac), value);
        }
    }
    leaves
}

fn interface_leaves(world: &SimulatorState, interface: &NetworkInterface) -> Vec<(String, String)> {
    let mut leaves = vec![
        ("device-number", interface.device_index.to_string()),
        ("interface-id", interface.eni.to_string()),
        ("network-card", interface.network_card.to_string()),
        ("owner-id", ACCOUNT.to_owned()),
        ("subnet-id", interface.subnet.to_string()),
        ("vpc-id", VPC.to_owned()),
    ];
    if !interface.private_ips.is_empty() {
        leaves.push(("local-ipv4s", lines(&interface.private_ips)));
    }
    if let Some(cidr) = world.account.subnet_of(&interface.eni) {
        leaves.push(("subnet-ipv4-cidr-block", cidr.to_string()));
    }
    let ranges = world.account.vpc_ranges();
    if !ranges.is_empty() {
        leaves.push(("vpc-ipv4-cidr-blocks", lines(&ranges)));
    }
    let associations = interface.public_ips.iter();
    let associations =
        associations.map(|(private, public)| (format!("ipv4-associations/{public}"), private.to_string()));
    leaves.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(associations).collect()
}

fn lines(values: &[impl ToString]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
