//! The EC2 calls about the routes of an overlay address, in the agent's own types. The other kinds of address do not use them.

use std::fmt;
use std::net::IpAddr;

use super::Ec2Error;
use crate::base::ids::{InstanceId, InterfaceId, RouteTableId, VpcId};
use crate::params::Tables;

/// The origin of a route that a call created, and a call may replace.
///
/// # Source
/// EC2 API Reference, `Route`: `CreateRouteTable`, `CreateRoute`, `EnableVgwRoutePropagation`, `Advertisement`.
const CREATED: &str = "CreateRoute";

/// A route table, with its route for one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    /// `rtb-...`.
    pub id: RouteTableId,
    /// The VPC it is in.
    pub vpc: Option<VpcId>,
    /// The route for exactly this address; `None` if the table has none.
    pub route: Option<Route>,
}

/// The route for one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The interface it leads to; `None` if it leads to something else.
    pub interface: Option<InterfaceId>,
    /// The instance of that interface; `None` across accounts too.
    pub instance: Option<InstanceId>,
    /// The id of its target, for a person.
    pub target: String,
    /// Whether EC2 shows that its target takes no traffic.
    pub blackhole: bool,
    /// The call that created it; empty if EC2 does not say.
    pub origin: String,
}

impl fmt::Display for Route {
    /// The target, and whether it takes traffic.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.target)?;
        if let Some(instance) = &self.instance {
            write!(f, " ({instance})")?;
        }
        f.write_str(if self.blackhole { ", blackhole" } else { ", active" })
    }
}

impl Route {
    /// Whether a call may replace it: not if it was propagated by a gateway or advertised by a route server.
    pub fn is_replaceable(&self) -> bool {
        self.origin.is_empty() || self.origin == CREATED
    }
}

/// The destination of the route for one address.
pub fn destination(address: IpAddr) -> String {
    format!("{address}/{}", host_prefix(address))
}

/// The prefix length of a single address.
pub fn host_prefix(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The EC2 calls about routes. Every method is one attempt; one that reads follows pages.
pub trait Routes {
    /// The tables, each with its route for the address. Tables that do not exist are left out. `vpc` limits all but ids.
    ///
    /// # Errors
    /// Why EC2 did not answer.
    async fn route_tables(
        &self,
        which: &Tables,
        vpc: Option<&VpcId>,
        address: IpAddr,
    ) -> Result<Vec<RouteTable>, Ec2Error>;

    /// Points the route for the address at this interface. No precondition: the last caller wins.
    ///
    /// # Errors
    /// [`Ec2Fault::Unknown`](super::Ec2Fault::Unknown) if there is no such table, or no route for the address in it.
    async fn replace_route(
        &self,
        table: &RouteTableId,
        address: IpAddr,
        to: &InterfaceId,
    ) -> Result<(), Ec2Error>;

    /// Dry run of [`Routes::replace_route`]: succeeds if IAM allows the call, and proves nothing else.
    ///
    /// # Errors
    /// [`Ec2Fault::Denied`](super::Ec2Fault::Denied) if IAM does not allow it.
    async fn may_replace_route(
        &self,
        table: &RouteTableId,
        address: IpAddr,
        to: &InterfaceId,
    ) -> Result<(), Ec2Error>;

    /// Whether EC2 drops traffic of this interface for addresses other than its own (source/destination check). Called as the
    /// node itself, because the interface belongs to the node's account.
    ///
    /// # Errors
    /// Why EC2 did not answer.
    async fn checks_source_and_destination(&self, interface: &InterfaceId) -> Result<bool, Ec2Error>;
}
