//! Accounts described as JSON: a single address, or a whole file.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use eip::base::ids::RouteTableId;
use eip::cloud::model::{ApiError, InstanceSpec, RouteTableSpec};
use serde::Deserialize;

use super::{ControlResult, show};
use crate::Cloud;

/// An address to allocate.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AddressSpec {
    public_ip: Option<Ipv4Addr>,
}

pub(super) fn allocate(cloud: &Cloud, wanted: &AddressSpec) -> ControlResult {
    show(&cloud.try_allocate(wanted.public_ip, None)?)
}

/// A route table with its routes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableSpec {
    id: RouteTableId,
    /// The account that owns it; the simulator's own if absent.
    owner: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    /// For each address, the id of its route's target.
    #[serde(default)]
    routes: BTreeMap<IpAddr, String>,
    /// True if they are shown as blackholes.
    #[serde(default)]
    blackhole: bool,
}

pub(super) fn add_table(cloud: &Cloud, wanted: TableSpec) -> ControlResult {
    let TableSpec { id, owner, tags, routes, blackhole } = wanted;
    let table = cloud.add_route_table(RouteTableSpec { id, owner, tags, ..RouteTableSpec::numbered(0) });
    for (address, target) in routes {
        if blackhole {
            cloud.route_shown_as_blackhole(&table, address, &target);
        } else {
            cloud.route(&table, address, &target);
        }
    }
    show(&table)
}

/// An initial account, as described by a file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AccountSpec {
    instances: Vec<InstanceSpec>,
    addresses: Vec<AddressSpec>,
    route_tables: Vec<TableSpec>,
}

impl Cloud {
    /// Builds what a JSON text describes: `{"instances": [..], "addresses": [..], "route_tables": [..]}`, with entries as in the
    /// control API.
    ///
    /// # Errors
    /// If the text is not such a description, or describes something impossible.
    pub fn build(&self, json: &str) -> Result<(), ApiError> {
        let plan: AccountSpec =
            serde_json::from_str(json).map_err(|error| ApiError::client("Malformed", error.to_string()))?;
        for spec in plan.instances {
            self.try_add_instance(spec)?;
        }
        for address in &plan.addresses {
            allocate(self, address)?;
        }
        for table in plan.route_tables {
            add_table(self, table)?;
        }
        Ok(())
    }
}
