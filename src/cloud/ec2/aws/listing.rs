//! Several addresses in one answer of each API, however many there are: `eipctl status` shows all of a cluster.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{self, Filter};

use super::{AwsEc2, DESCRIBE, filter, pick, private_ips, routes};
use crate::base::deadline::Deadline;
use crate::base::ids::{RouteTableId, SubnetId, VpcId};
use crate::cloud::Eni;
use crate::cloud::ec2::routes::RouteTable;
use crate::cloud::ec2::{Address, Ec2Error, Ec2Fault, Selector, Wanted};
use crate::params::Tables;

/// What each API showed of the addresses that were looked for; empty for a kind of which none was.
pub struct Listing {
    addresses: Result<Vec<types::Address>, Ec2Error>,
    interfaces: Result<Vec<types::NetworkInterface>, Ec2Error>,
    tables: Result<Vec<types::RouteTable>, Ec2Error>,
}

impl Listing {
    /// Why EC2 showed nothing of an address; `None` if it answered.
    pub fn failure(&self, wanted: &Wanted) -> Option<&Ec2Error> {
        match wanted {
            Wanted::Elastic(_) => self.addresses.as_ref().err(),
            Wanted::Private(_) => self.interfaces.as_ref().err(),
            Wanted::Overlay(_) => self.tables.as_ref().err(),
        }
    }

    pub(super) fn address(&self, which: &Selector) -> Result<Address, Ec2Error> {
        pick(self.addresses.as_deref().unwrap_or_default(), which, Ec2Fault::Unknown)
    }

    pub(super) fn interfaces(&self) -> &[types::NetworkInterface] {
        self.interfaces.as_deref().unwrap_or_default()
    }

    pub(super) fn holder(&self, ip: Ipv4Addr, subnet: &SubnetId) -> Result<Option<Eni>, Ec2Error> {
        let found = private_ips::all_of(self.interfaces(), &ip)?;
        Ok(found.into_iter().rfind(|eni| eni.subnet.as_ref() == Some(subnet) && eni.address(ip).is_some()))
    }

    pub(super) fn route_tables(
        &self,
        which: &Tables,
        vpc: Option<&VpcId>,
        address: IpAddr,
    ) -> Result<Vec<RouteTable>, Ec2Error> {
        let is_meant = |table: &&types::RouteTable| {
            let here = vpc.is_none_or(|vpc| table.vpc_id() == Some(vpc.as_str()));
            match which {
                Tables::Ids(ids) => ids.iter().any(|id| table.route_table_id() == Some(id.as_str())),
                Tables::Tagged { key, value } => {
                    here && table
                        .tags()
                        .iter()
                        .any(|tag| tag.key() == Some(key) && tag.value() == Some(value))
                }
                Tables::Routing => here,
            }
        };
        let meant = self.tables.iter().flatten().filter(is_meant);
        let mut found = routes::all_of(meant, &which.to_string(), address)?;
        found.retain(|table| *which != Tables::Routing || table.route.is_some());
        Ok(found)
    }
}

impl AwsEc2 {
    /// Queries EC2 once for all these addresses: each API at most once, page by page.
    pub async fn list(&self, wanted: &[Wanted], deadline: &Deadline) -> Listing {
        let (mut selectors, mut ips, mut tables) = (Vec::new(), Vec::new(), Vec::new());
        for one in wanted {
            match one {
                Wanted::Elastic(selector) => selectors.push(selector),
                Wanted::Private(ip) => ips.push(ip.to_string()),
                Wanted::Overlay(which) => tables.push(which),
            }
        }
        let addresses = listing(deadline, DESCRIBE, &selectors, async |object| {
            self.addresses_with(object, Vec::from_iter(address_filter(&selectors))).await
        });
        let interfaces = listing(deadline, private_ips::DESCRIBE, &ips, async |_| {
            self.interfaces_with("addresses.private-ip-address", &ips).await
        });
        let tables = listing(deadline, routes::DESCRIBE, &tables, async |object| {
            self.tables_with(object, Vec::from_iter(table_filter(&tables))).await
        });
        let (addresses, interfaces, tables) = tokio::join!(addresses, interfaces, tables);
        Listing { addresses, interfaces, tables }
    }

    /// From here on a listing answers in place of EC2.
    pub fn answer_from(&mut self, listing: Arc<Listing>) {
        self.listing = Some(listing);
    }

    /// The addresses that match all of these filters.
    pub(super) async fn addresses_with(
        &self,
        object: &str,
        filters: Vec<Filter>,
    ) -> Result<Vec<types::Address>, Ec2Error> {
        let filters = Some(filters).filter(|filters| !filters.is_empty());
        let call = async |client: &Client| client.describe_addresses().set_filters(filters).send().await;
        let output = self.call(&self.general, DESCRIBE, &object, call).await?;
        Ok(output.addresses.unwrap_or_default())
    }
}

/// One query for these names; no query if there are none.
async fn listing<T>(
    deadline: &Deadline,
    operation: &'static str,
    names: &[impl ToString],
    query: impl AsyncFnOnce(&str) -> Result<Vec<T>, Ec2Error>,
) -> Result<Vec<T>, Ec2Error> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let object = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    deadline.bound(query(&object)).await.unwrap_or_else(|_| Err(Ec2Error::cut_off(operation, &object)))
}

/// The filter that finds all these addresses; `None` if some are named in one way and some in the other, because filters of two names
/// have to match both. Not by name, because one that does not exist would fail the query for all others.
fn address_filter(wanted: &[&Selector]) -> Option<Filter> {
    let name = |which: &&Selector| match which {
        Selector::Allocation(_) => "allocation-id",
        Selector::PublicIp(_) => "public-ip",
    };
    let by = wanted.first().map(name).filter(|by| wanted.iter().all(|which| name(which) == *by))?;
    let values: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    Some(filter(by, values.iter().map(String::as_str)))
}

/// The filter that finds all these tables; `None` if only all tables together contain them.
fn table_filter(wanted: &[&Tables]) -> Option<Filter> {
    let mut ids: Vec<&str> = Vec::new();
    for which in wanted {
        let Tables::Ids(more) = which else { return None };
        ids.extend(more.iter().map(RouteTableId::as_str));
    }
    Some(filter("route-table-id", ids))
}
