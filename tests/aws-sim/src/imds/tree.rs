//! The metadata of an instance as a tree of text; listings are derived from the leaves.

use std::{collections::BTreeMap, net::Ipv4Addr};

use eip::base::ids::InstanceId;
use eip::cloud::model::{Instance, NetworkInterface, VPC};

use crate::{clock::iso8601, world::SimulatorState};

/// Returns the text at `path`: a value, or the names in a directory; `None` where there is nothing.
pub(super) fn read(world: &SimulatorState, id: &InstanceId, path: &str) -> Option<String> {
    let leaves = leaves(world, &world.account.metadata(id)?);
    let path = path.strip_prefix("/latest/")?;
    leaves.get(path).cloned().or_else(|| list(&leaves, path))
}

/// Lists a directory, one name a line and a slash after those of directories.
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
    put("ami-id", "ami-0123456789abcdef0".to_owned());
    put("instance-id", instance.id.to_string());
    put("instance-type", "m5.large".to_owned());
    put("placement/availability-zone", instance.zone.clone());
    put("placement/region", world.config.region.clone());
    put("reservation-id", instance.id.as_str().replace("i-", "r-"));
    if let Some(role) = super::credentials::visible_role(world, instance) {
        put(&format!("iam/security-credentials/{role}"), String::new());
    }
    if let Some(primary) = instance.interfaces.first() {
        put("mac", primary.mac.to_string());
        let ip = primary.private_ips.first().copied();
        if let Some(ip) = ip {
            put("local-ipv4", ip.to_string());
        }
        if let Some(public) = ip.and_then(|ip| primary.public_ips.get(&ip)) {
            put("public-ipv4", public.to_string());
        }
    }
    for interface in &instance.interfaces {
        for (name, value) in interface_leaves(world, interface) {
            put(&format!("network/interfaces/macs/{}/{name}", interface.mac), value);
        }
    }
    leaves.insert("dynamic/instance-identity/document".to_owned(), identity(world, instance));
    leaves
}

fn interface_leaves(world: &SimulatorState, interface: &NetworkInterface) -> Vec<(String, String)> {
    let text = |ips: &[Ipv4Addr]| ips.iter().map(Ipv4Addr::to_string).collect::<Vec<_>>().join("\n");
    let pairs: Vec<(Ipv4Addr, Ipv4Addr)> =
        interface.public_ips.iter().map(|(private, public)| (*public, *private)).collect();
    let mut leaves = vec![
        ("device-number", interface.device_index.to_string()),
        ("interface-id", interface.eni.to_string()),
        ("mac", interface.mac.to_string()),
        ("network-card", interface.network_card.to_string()),
        ("owner-id", world.config.account.clone()),
        ("subnet-id", interface.subnet.to_string()),
        ("vpc-id", VPC.to_owned()),
    ];
    if !interface.private_ips.is_empty() {
        leaves.push(("local-ipv4s", text(&interface.private_ips)));
    }
    if let Some(cidr) = world.account.subnet_of(&interface.eni) {
        leaves.push(("subnet-ipv4-cidr-block", cidr.to_string()));
    }
    let ranges: Vec<String> = world.account.vpc_ranges().iter().map(ToString::to_string).collect();
    if !ranges.is_empty() {
        leaves.push(("vpc-ipv4-cidr-blocks", ranges.join("\n")));
    }
    if !pairs.is_empty() {
        leaves.push(("public-ipv4s", text(&pairs.iter().map(|(public, _)| *public).collect::<Vec<_>>())));
    }
    let associations =
        pairs.iter().map(|(public, private)| (format!("ipv4-associations/{public}"), private.to_string()));
    leaves.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(associations).collect()
}

fn identity(world: &SimulatorState, instance: &Instance) -> String {
    let document = serde_json::json!({
        "accountId": world.config.account,
        "architecture": "x86_64",
        "availabilityZone": instance.zone,
        "imageId": "ami-0123456789abcdef0",
        "instanceId": instance.id,
        "instanceType": "m5.large",
        "pendingTime": iso8601(instance.launched),
        "privateIp": instance.interfaces.first().and_then(|n| n.private_ips.first()),
        "region": world.config.region,
        "version": "2017-09-30",
    });
    format!("{document:#}")
}
