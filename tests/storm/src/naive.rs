//! EC2 for a client with its own retries below the agent's: [`RetryPolicy`].

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, Ipv4Addr};

use eip::base::deadline::Deadline;
use eip::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId, RouteTableId, SubnetId, VpcId};
use eip::cloud::model::{Account, ModelClient};
use eip::cloud::{Address, Ec2, Ec2Error, Ec2Fault, Eni, PrivateIps, RouteTable, Routes, Selector, Target};
use eip::params::Tables;

use crate::policy::RetryPolicy;

/// A client with a policy.
#[derive(Debug)]
pub struct PolicyClient {
    account: Account,
    client: ModelClient,
    policy: RetryPolicy,
    deadline: Deadline,
    random: RefCell<fastrand::Rng>,
    ordered: Cell<bool>,
}

impl PolicyClient {
    /// The client of an action that begins now.
    pub fn new(account: &Account, client: ModelClient, policy: RetryPolicy, deadline: Deadline) -> Self {
        let (random, ordered) = (RefCell::new(fastrand::Rng::new()), Cell::new(false));
        Self { account: account.clone(), client, policy, deadline, random, ordered }
    }

    /// Makes one call with the policy's retries.
    async fn call<T>(&self, call: impl AsyncFn() -> Result<T, Ec2Error>) -> Result<T, Ec2Error> {
        let mut attempts = 0;
        loop {
            let error = match call().await {
                Err(error) if self.policy != RetryPolicy::Ours => error,
                outcome => return outcome,
            };
            attempts += 1;
            let pause = self.policy.pause(attempts, &mut self.random.borrow_mut());
            match pause {
                Some(pause) if self.deadline.pause(pause).await => {}
                _ => return Err(Ec2Error { fault: Ec2Fault::Refused, ..error }),
            }
        }
    }
}

impl Ec2 for PolicyClient {
    async fn prepare(&self) -> Result<(), Ec2Error> {
        Ok(())
    }

    async fn describe(&self, which: &Selector) -> Result<Address, Ec2Error> {
        let refused = || Ec2Error::new("DescribeAddresses", which, Ec2Fault::Refused, "not sent");
        match self.policy {
            // The agent queries the previous holder only for its log.
            RetryPolicy::Fixed(_) | RetryPolicy::Sdk | RetryPolicy::Once if !self.ordered.get() => {
                Err(refused())
            }
            RetryPolicy::Once => self.account.address(which.clone()).ok_or_else(refused),
            _ => self.call(async || self.client.describe(which).await).await,
        }
    }

    async fn on_target(&self, target: &Target) -> Result<Vec<Address>, Ec2Error> {
        self.call(async || self.client.on_target(target).await).await
    }

    async fn associate(
        &self,
        allocation: &AllocationId,
        target: &Target,
        reassociate: bool,
    ) -> Result<AssociationId, Ec2Error> {
        let made = self.call(async || self.client.associate(allocation, target, reassociate).await).await?;
        self.ordered.set(true);
        Ok(made)
    }

    async fn disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        self.client.disassociate(association).await
    }

    async fn may_associate(&self, allocation: &AllocationId, target: &Target) -> Result<(), Ec2Error> {
        self.client.may_associate(allocation, target).await
    }

    async fn may_disassociate(&self, association: &AssociationId) -> Result<(), Ec2Error> {
        self.client.may_disassociate(association).await
    }
}

impl PrivateIps for PolicyClient {
    async fn interfaces(&self, ids: &[InterfaceId]) -> Result<Vec<Eni>, Ec2Error> {
        self.call(async || self.client.interfaces(ids).await).await
    }

    async fn holder(&self, ip: Ipv4Addr, subnet: &SubnetId) -> Result<Option<Eni>, Ec2Error> {
        self.call(async || self.client.holder(ip, subnet).await).await
    }

    async fn interfaces_of(&self, instance: &InstanceId) -> Result<Vec<Eni>, Ec2Error> {
        self.call(async || self.client.interfaces_of(instance).await).await
    }

    async fn assign(&self, to: &InterfaceId, ip: Ipv4Addr, reassign: bool) -> Result<(), Ec2Error> {
        self.call(async || self.client.assign(to, ip, reassign).await).await
    }

    async fn unassign(&self, from: &InterfaceId, ip: Ipv4Addr) -> Result<(), Ec2Error> {
        self.client.unassign(from, ip).await
    }
}

impl Routes for PolicyClient {
    async fn route_tables(
        &self,
        which: &Tables,
        vpc: Option<&VpcId>,
        address: IpAddr,
    ) -> Result<Vec<RouteTable>, Ec2Error> {
        self.call(async || self.client.route_tables(which, vpc, address).await).await
    }

    async fn replace_route(
        &self,
        table: &RouteTableId,
        address: IpAddr,
        to: &InterfaceId,
    ) -> Result<(), Ec2Error> {
        self.call(async || self.client.replace_route(table, address, to).await).await
    }

    async fn may_replace_route(
        &self,
        table: &RouteTableId,
        address: IpAddr,
        to: &InterfaceId,
    ) -> Result<(), Ec2Error> {
        self.client.may_replace_route(table, address, to).await
    }

    async fn checks_source_and_destination(&self, interface: &InterfaceId) -> Result<bool, Ec2Error> {
        self.call(async || self.client.checks_source_and_destination(interface).await).await
    }
}
