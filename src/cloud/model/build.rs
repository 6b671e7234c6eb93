//! Builds the account. Every reader sees what is built at once, whatever its lag.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::account::{Account, AccountState, REGION, parsed};
use super::error::ApiError;
use super::history::History;
use super::state::{ElasticIp, Instance, InstanceState, StoredInstance, StoredInterface, StoredSubnet};
use crate::base::ids::{AllocationId, InstanceId, InterfaceId, MacAddress, SubnetId};
use crate::cloud::ec2::Selector;
use crate::cloud::imds::Attachment;

/// An allocated Elastic IP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allocated {
    /// The public address itself.
    pub public_ip: Ipv4Addr,
    /// `eipalloc-...`.
    pub allocation_id: AllocationId,
}

impl From<&Allocated> for Selector {
    fn from(allocated: &Allocated) -> Self {
        Self::PublicIp(allocated.public_ip)
    }
}

/// Specification of a network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InterfaceSpec {
    /// `eni-...`; generated if absent.
    pub eni: Option<InterfaceId>,
    /// Hardware address; generated if absent.
    pub mac: Option<MacAddress>,
    /// Private addresses, the primary first; if empty, one free address of the subnet.
    pub private_ips: Vec<Ipv4Addr>,
    /// Whether its source/destination check is off, as overlay addresses need it.
    pub unchecked: bool,
}

/// Specification of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InstanceSpec {
    /// `i-...`; generated if absent.
    pub id: Option<InstanceId>,
    /// Availability zone, such as `eu-west-1a`.
    pub zone: String,
    /// The subnet in CIDR notation.
    pub subnet: String,
    /// The id of the subnet, if it does not exist yet; generated if absent.
    pub subnet_id: Option<SubnetId>,
    /// Interfaces, the primary first.
    pub interfaces: Vec<InterfaceSpec>,
    /// IAM role, if it has an instance profile.
    pub role: Option<String>,
    /// Network border group of the zone; the Region if absent.
    pub border_group: Option<String>,
}

impl Default for InstanceSpec {
    fn default() -> Self {
        Self {
            id: None,
            zone: "eu-west-1a".to_owned(),
            subnet: "10.0.1.0/24".to_owned(),
            subnet_id: None,
            interfaces: vec![InterfaceSpec::default()],
            role: Some("node".to_owned()),
            border_group: None,
        }
    }
}

impl InterfaceSpec {
    /// An interface with ids and hardware address derived from this number: `eni-0...0a`, `02:00:00:00:00:0a`.
    pub fn numbered(number: u8, private_ips: &[&str]) -> Self {
        Self {
            eni: Some(parsed(format!("eni-{number:017x}"))),
            mac: Some(MacAddress::from([2, 0, 0, 0, 0, number])),
            private_ips: private_ips.iter().map(parsed).collect(),
            ..Self::default()
        }
    }
}

impl InstanceSpec {
    /// A running instance with one interface and one private address, in the default subnet and zone.
    pub fn with_ip(private_ip: Ipv4Addr) -> Self {
        let interface = InterfaceSpec { private_ips: vec![private_ip], ..InterfaceSpec::default() };
        Self { interfaces: vec![interface], ..Self::default() }
    }

    /// An instance with ids derived from this number (`i-0...01`), with one interface in the /24 of its first private address.
    pub fn numbered(number: u8, private_ips: &[&str]) -> Self {
        let subnet =
            private_ips.first().and_then(|ip| ip.rsplit_once('.')).map_or("10.0.1", |(network, _)| network);
        Self {
            id: Some(parsed(format!("i-{number:017x}"))),
            subnet: format!("{subnet}.0/24"),
            interfaces: vec![InterfaceSpec::numbered(number, private_ips)],
            ..Self::default()
        }
    }
}

impl Account {
    /// Adds a running instance.
    ///
    /// # Errors
    /// `InvalidParameterValue` for an invalid subnet, or an address that is outside it or not free.
    pub fn try_add_instance(&self, spec: InstanceSpec) -> Result<Instance, ApiError> {
        self.with(|state| {
            let subnet = subnet(state, &spec)?;
            let id: InstanceId = spec.id.unwrap_or_else(|| state.mint("i-"));
            let at = state.stamp();
            let mut interfaces = Vec::new();
            for wanted in spec.interfaces {
                let eni = add_interface(state, &subnet, wanted)?;
                if let Some(interface) = state.objects.interfaces.get_mut(&eni) {
                    interface.attachment = History::new(at, Some((id.clone(), interfaces.len())));
                }
                interfaces.push(eni);
            }
            let stored = StoredInstance {
                border_group: spec.border_group.unwrap_or_else(|| REGION.to_owned()),
                zone: spec.zone,
                role: spec.role,
                state: History::new(at, InstanceState::Running),
                interfaces: History::new(at, interfaces),
            };
            state.objects.instances.insert(id.clone(), stored);
            state.objects.instance_at(&id, at).ok_or_else(|| ApiError::value("no instance"))
        })
    }

    /// As [`try_add_instance`](Self::try_add_instance); panics on an error.
    pub fn add_instance(&self, spec: InstanceSpec) -> Instance {
        self.try_add_instance(spec).unwrap_or_else(|error| panic!("add_instance: {error}"))
    }

    /// Adds an unattached network interface in the subnet of `sibling`.
    pub fn add_interface(&self, sibling: &InterfaceId, spec: InterfaceSpec) -> InterfaceId {
        self.with(|state| {
            let known = state.objects.interfaces.get(sibling).map(|interface| interface.subnet.clone());
            let subnet = known.and_then(|id| state.objects.subnet(&id).cloned());
            let subnet = subnet.unwrap_or_else(|| panic!("no interface {sibling}"));
            add_interface(state, &subnet, spec).unwrap_or_else(|error| panic!("add_interface: {error}"))
        })
    }

    /// Attaches an interface to an instance at the next device index. Lagging readers see it later.
    pub fn attach(&self, eni: &InterfaceId, instance: &InstanceId) {
        self.with(|state| {
            let at = state.stamp();
            state.objects.attach(at, eni, instance);
        });
    }

    /// Moves an interface to another network card, which has device indexes of its own. Every reader sees that at once.
    pub fn put_on_card(&self, eni: &InterfaceId, network_card: u32, device_index: u32) {
        self.with(|state| {
            if let Some(interface) = state.objects.interfaces.get_mut(eni) {
                interface.on_card = Some(Attachment { device_index, network_card });
            }
        });
    }

    /// Allocates an address, `wanted` or the next of 203.0.113.0/24, with `id` or a generated one.
    ///
    /// # Errors
    /// `InvalidParameterValue` for an address that is already allocated, `AddressLimitExceeded` if none is left.
    pub fn try_allocate(
        &self,
        wanted: Option<Ipv4Addr>,
        id: Option<AllocationId>,
    ) -> Result<Allocated, ApiError> {
        self.with(|state| {
            let objects = &state.objects;
            let taken = |ip: &Ipv4Addr| objects.foreign.contains(ip) || objects.elastic_ips.contains_key(ip);
            let mut pool = (1..=254).map(|last| Ipv4Addr::new(203, 0, 113, last));
            let public_ip = match wanted {
                Some(ip) if taken(&ip) => {
                    return Err(ApiError::value(format!("Address {ip} is already allocated")));
                }
                Some(ip) => ip,
                None => pool.find(|ip| !taken(ip)).ok_or_else(|| {
                    let message = "The maximum number of addresses has been reached.";
                    ApiError::client("AddressLimitExceeded", message)
                })?,
            };
            let address = ElasticIp {
                public_ip,
                allocation: id.unwrap_or_else(|| state.mint("eipalloc-")),
                border_group: REGION.to_owned(),
                managed_by: None,
                association: History::new(state.stamp(), None),
            };
            let allocated = Allocated { public_ip, allocation_id: address.allocation.clone() };
            state.objects.allocations.insert(address.allocation.clone(), public_ip);
            state.objects.elastic_ips.insert(public_ip, address);
            Ok(allocated)
        })
    }

    /// As [`try_allocate`](Self::try_allocate); panics on an error.
    pub fn allocate(&self, wanted: Option<Ipv4Addr>) -> Allocated {
        self.try_allocate(wanted, None).unwrap_or_else(|error| panic!("allocate: {error}"))
    }

    /// Allocates an address with an id, both as text.
    pub fn allocate_as(&self, public_ip: &str, id: &str) -> AllocationId {
        let address = self.try_allocate(Some(parsed(public_ip)), Some(parsed(id)));
        address.unwrap_or_else(|error| panic!("allocate: {error}")).allocation_id
    }

    /// The subnet of an interface.
    pub fn subnet_of(&self, eni: &InterfaceId) -> Option<Ipv4Net> {
        self.with(|state| {
            let interface = state.objects.interfaces.get(eni)?;
            state.objects.subnet(&interface.subnet).map(|subnet| subnet.cidr)
        })
    }

    /// The hardware address of an interface.
    pub fn mac_of(&self, eni: &InterfaceId) -> Option<MacAddress> {
        self.with(|state| state.objects.interfaces.get(eni).map(|interface| interface.mac))
    }

    /// Whether EC2 knows an address.
    pub fn knows(&self, which: impl Into<Selector>) -> bool {
        let which = which.into();
        self.with(|state| state.objects.elastic_ip(&which).is_some())
    }
}

fn subnet(state: &mut AccountState, spec: &InstanceSpec) -> Result<StoredSubnet, ApiError> {
    let cidr: Ipv4Net =
        spec.subnet.parse().map_err(|error| ApiError::value(format!("{}: {error}", spec.subnet)))?;
    let cidr = cidr.trunc();
    let known = state.objects.subnets.iter().find(|known| known.cidr == cidr && known.zone == spec.zone);
    if let Some(known) = known {
        return Ok(known.clone());
    }
    let id = spec.subnet_id.clone().unwrap_or_else(|| state.mint("subnet-"));
    let new = StoredSubnet { id, cidr, zone: spec.zone.clone() };
    state.objects.subnets.push(new.clone());
    Ok(new)
}

fn add_interface(
    state: &mut AccountState,
    subnet: &StoredSubnet,
    wanted: InterfaceSpec,
) -> Result<InterfaceId, ApiError> {
    let at = state.stamp();
    let taken = |ip: &Ipv4Addr| state.objects.private_holder(&subnet.id, *ip).is_some();
    let private_ips = if wanted.private_ips.is_empty() {
        // AWS reserves the first four addresses of a subnet, and the last.
        let free = subnet.cidr.hosts().skip(3).find(|ip| !taken(ip));
        vec![free.ok_or_else(|| ApiError::value(format!("subnet {} is full", subnet.cidr)))?]
    } else {
        wanted.private_ips
    };
    if let Some(ip) = private_ips.iter().find(|ip| !subnet.cidr.contains(*ip) || taken(ip)) {
        return Err(ApiError::value(format!("Address {ip} is not free in {}", subnet.cidr)));
    }
    let eni: InterfaceId = wanted.eni.unwrap_or_else(|| state.mint("eni-"));
    let mac = wanted.mac.unwrap_or_else(|| {
        let mut octets = [6; 6];
        octets.iter_mut().skip(1).for_each(|octet| *octet = state.random.u8(..));
        MacAddress::from(octets)
    });
    for ip in &private_ips {
        let key = (subnet.id.clone(), *ip);
        state.objects.private_ips.insert(key, History::new(at, Some(eni.clone())));
    }
    let stored = StoredInterface {
        mac,
        subnet: subnet.id.clone(),
        private_ips: History::new(at, private_ips),
        carried: History::new(at, BTreeMap::new()),
        source_dest_check: !wanted.unchecked,
        attachment: History::new(at, None),
        on_card: None,
    };
    state.objects.interfaces.insert(eni.clone(), stored);
    Ok(eni)
}
