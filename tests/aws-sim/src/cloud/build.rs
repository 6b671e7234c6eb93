//! Building the world: instances and addresses.
//!
//! What is built is there at once for every reader, however far behind: it has always been so.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::Cloud;
use crate::{
    error::ApiError,
    fleet::{Address, AddressRef, Cidr, Fleet, Instance, InstanceState, Interface, Subnet},
    ids::{AllocationId, InstanceId, InterfaceId, SubnetId},
    world::{HolderChange, Metadata, World},
};

/// A network interface to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InterfaceSpec {
    /// `eni-...`; made up when absent.
    pub eni: Option<InterfaceId>,
    /// Six bytes in hexadecimal, separated by colons; made up when absent.
    pub mac: Option<String>,
    /// Private addresses, the primary first; one free address of the subnet when empty.
    pub private_ips: Vec<Ipv4Addr>,
    /// Whether the subnet assigns a public address.
    pub auto_public_ip: bool,
}

/// An instance to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InstanceSpec {
    /// `i-...`; made up when absent.
    pub id: Option<InstanceId>,
    /// Availability zone.
    pub zone: String,
    /// The subnet, as a network in prefix notation.
    pub subnet: String,
    /// Interfaces, the primary first.
    pub interfaces: Vec<InterfaceSpec>,
    /// IAM role, if it has an instance profile.
    pub role: Option<String>,
    /// Network border group of the zone; the Region when absent.
    pub border_group: Option<String>,
}

impl Default for InstanceSpec {
    fn default() -> Self {
        Self {
            id: None,
            zone: "eu-west-1a".to_owned(),
            subnet: "10.0.1.0/24".to_owned(),
            interfaces: vec![InterfaceSpec::default()],
            role: Some("node".to_owned()),
            border_group: None,
        }
    }
}

impl InstanceSpec {
    /// Describes a running instance with one interface and one private address, in the default subnet and zone.
    #[must_use]
    pub fn with_ip(private_ip: Ipv4Addr) -> Self {
        let interface = InterfaceSpec { private_ips: vec![private_ip], ..InterfaceSpec::default() };
        Self { interfaces: vec![interface], ..Self::default() }
    }
}

impl Cloud {
    /// Adds a running instance.
    ///
    /// # Errors
    /// `InvalidParameterValue` for a subnet that is no network or an address that is not in it or not free.
    pub fn try_add_instance(&self, spec: InstanceSpec) -> Result<Instance, ApiError> {
        self.with(|world| {
            let cidr: Cidr = spec.subnet.parse().map_err(ApiError::value)?;
            let known =
                world.present().subnets.iter().find(|s| s.cidr == cidr && s.zone == spec.zone).cloned();
            let subnet = match known {
                Some(subnet) => subnet,
                None => Subnet { id: world.mint(SubnetId::PREFIX), cidr, zone: spec.zone.clone() },
            };
            let instance = instance(world, spec, &subnet)?;
            let lag = crate::fleet::timeline::Lag::new(world.config.imds_lag, world.now());
            world.metadata.insert(instance.id.clone(), Metadata { lag, ..Metadata::default() });
            world.found(|fleet| {
                if !fleet.subnets.contains(&subnet) {
                    fleet.subnets.push(subnet.clone());
                }
                fleet.instances.push(instance.clone());
                for interface in &instance.interfaces {
                    fleet.restore_public_ip(&interface.eni);
                }
            });
            Ok(world.present().instance(&instance.id).cloned().unwrap_or(instance))
        })
    }

    /// Adds a running instance.
    ///
    /// # Panics
    /// Where [`try_add_instance`](Self::try_add_instance) returns an error: the test itself is wrong then.
    pub fn add_instance(&self, spec: InstanceSpec) -> Instance {
        self.try_add_instance(spec).unwrap_or_else(|error| panic!("add_instance: {error}"))
    }

    /// Allocates an address, `wanted` or the next of 203.0.113.0/24.
    ///
    /// # Errors
    /// `InvalidParameterValue` for an address that is allocated already, `AddressLimitExceeded` when none is left.
    pub fn try_allocate(&self, wanted: Option<Ipv4Addr>) -> Result<Address, ApiError> {
        self.with(|world| {
            let address = new_address(world, wanted)?;
            world.found(|fleet| fleet.addresses.push(address.clone()));
            let first = HolderChange { at: world.now(), holder: None, by: None };
            world.history.insert(address.public_ip, vec![first]);
            Ok(address)
        })
    }

    /// Allocates an address, `wanted` or the next of 203.0.113.0/24.
    ///
    /// # Panics
    /// Where [`try_allocate`](Self::try_allocate) returns an error: the test itself is wrong then.
    pub fn allocate(&self, wanted: Option<Ipv4Addr>) -> Address {
        self.try_allocate(wanted).unwrap_or_else(|error| panic!("allocate: {error}"))
    }

    /// Makes `ip` an Elastic IP of another account.
    pub fn allocate_foreign(&self, ip: Ipv4Addr) {
        self.with(|world| world.found(|fleet| fleet.foreign.extend([ip])));
    }

    /// Binds an address to a network border group.
    pub fn set_border_group(&self, address: impl Into<AddressRef>, group: &str) {
        self.amend_address(&address.into(), |address| group.clone_into(&mut address.border_group));
    }

    /// Tags an address.
    pub fn tag(&self, address: impl Into<AddressRef>, key: &str, value: &str) {
        self.amend_address(&address.into(), |address| {
            address.tags.insert(key.to_owned(), value.to_owned());
        });
    }

    fn amend_address(&self, which: &AddressRef, change: impl Fn(&mut Address)) {
        self.with(|world| {
            world.found(|fleet| {
                let id: Option<AllocationId> = fleet.address(which).map(|a| a.allocation_id.clone());
                if let Some(address) = id.and_then(|id| fleet.address_mut(&id)) {
                    change(address);
                }
            });
        });
    }
}

/// Makes an address that nobody holds and that is not in the fleet yet.
///
/// # Errors
/// `InvalidParameterValue` when `wanted` is allocated, `AuthFailure` when it is another account's,
/// `AddressLimitExceeded` when the pool is empty.
pub(crate) fn new_address(world: &mut World, wanted: Option<Ipv4Addr>) -> Result<Address, ApiError> {
    let fleet = world.present();
    let taken = |ip: &Ipv4Addr| fleet.foreign.contains(ip) || fleet.address(&ip.into()).is_some();
    let public_ip = match wanted {
        Some(ip) if fleet.foreign.contains(&ip) => {
            return Err(ApiError::client(
                "AuthFailure",
                format!("The address '{ip}' does not belong to you."),
            ));
        }
        Some(ip) if taken(&ip) => return Err(ApiError::value(format!("Address {ip} is already allocated"))),
        Some(ip) => ip,
        None => {
            (1..=254).map(|last| Ipv4Addr::new(203, 0, 113, last)).find(|ip| !taken(ip)).ok_or_else(|| {
                ApiError::client("AddressLimitExceeded", "The maximum number of addresses has been reached.")
            })?
        }
    };
    Ok(Address {
        public_ip,
        allocation_id: world.mint(AllocationId::PREFIX),
        border_group: world.config.region.clone(),
        tags: std::collections::BTreeMap::new(),
        association: None,
    })
}

fn instance(world: &mut World, spec: InstanceSpec, subnet: &Subnet) -> Result<Instance, ApiError> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for (device_index, wanted) in spec.interfaces.into_iter().enumerate() {
        let taken = |ip: &Ipv4Addr| {
            is_taken(world.present(), *ip) || interfaces.iter().any(|n| n.private_ips.contains(ip))
        };
        let private_ips = if wanted.private_ips.is_empty() {
            subnet.cidr.usable().find(|ip| !taken(ip)).into_iter().collect()
        } else {
            wanted.private_ips
        };
        let wrong = |ip: &&Ipv4Addr| !subnet.cidr.contains(**ip) || taken(ip);
        if private_ips.is_empty() {
            return Err(ApiError::value(format!("subnet {} is full", subnet.cidr)));
        }
        if let Some(ip) = private_ips.iter().find(wrong) {
            return Err(ApiError::value(format!("Address {ip} is not free in {}", subnet.cidr)));
        }
        let mac = wanted.mac.unwrap_or_else(|| {
            let byte = |_| format!(":{:02x}", world.rng.u8(..));
            format!("06{}", (0..5).map(byte).collect::<String>())
        });
        interfaces.push(Interface {
            eni: wanted.eni.unwrap_or_else(|| world.mint(InterfaceId::PREFIX)),
            mac: mac.to_ascii_lowercase(),
            device_index,
            private_ips,
            auto_public_ip: wanted.auto_public_ip,
            public_ip: None,
        });
    }
    Ok(Instance {
        id: spec.id.unwrap_or_else(|| world.mint(InstanceId::PREFIX)),
        border_group: spec.border_group.unwrap_or_else(|| world.config.region.clone()),
        zone: spec.zone,
        subnet: subnet.id.clone(),
        state: InstanceState::Running,
        role: spec.role,
        launched: world.now(),
        interfaces,
    })
}

fn is_taken(fleet: &Fleet, ip: Ipv4Addr) -> bool {
    fleet.owner_of(ip).is_some()
}
