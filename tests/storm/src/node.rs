//! The surviving node of a cluster, as far as AWS goes: the calls it makes, and its metadata service.

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use eip::base::deadline::Deadline;
use eip::base::ids::{AllocationId, AssociationId, InstanceId, InterfaceId, MacAddress};
use eip::cloud::{
    Address, Association, Attachment, Ec2, Ec2Error, Ec2Fault, Imds, ImdsError, Interface, Selector, Subnet,
    Target,
};
use tokio::time::sleep;

use crate::account::{Account, Call};
use crate::names::{DEAD, PRIVATE_IP, allocation, association, id, instance, interface, mac, public_ip};
use crate::policy::Policy;

/// What the metadata service takes for an answer.
const METADATA: Duration = Duration::from_millis(1);

/// A surviving node.
#[derive(Debug, Clone)]
pub struct Node {
    account: Rc<Account>,
    cluster: usize,
    policy: Policy,
    deadline: Deadline,
    random: Rc<RefCell<fastrand::Rng>>,
    ordered: Cell<bool>,
}

impl Node {
    /// Returns the surviving node of a cluster, counted from 0, at the beginning of an action.
    #[must_use]
    pub fn new(account: &Rc<Account>, cluster: usize, policy: Policy, deadline: Deadline) -> Self {
        Self {
            account: Rc::clone(account),
            cluster,
            policy,
            deadline,
            random: Rc::new(RefCell::new(fastrand::Rng::new())),
            ordered: Cell::new(false),
        }
    }

    /// Makes one attempt of a call.
    async fn attempt<T>(&self, call: Call, effect: impl Fn(&Account) -> T) -> Result<T, Ec2Fault> {
        self.account.travel().await;
        let outcome =
            if self.account.admits(call) { Ok(effect(&self.account)) } else { Err(Ec2Fault::Throttled) };
        self.account.travel().await;
        outcome
    }

    /// Makes one call as the policy has it.
    async fn call<T>(&self, call: Call, effect: impl Fn(&Account) -> T) -> Result<T, Ec2Error> {
        let mut attempts = 0;
        let fault = loop {
            let fault = match self.attempt(call, &effect).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            if self.policy == Policy::Ours {
                break fault;
            }
            attempts += 1;
            let pause = self.policy.pause(attempts, &mut self.random.borrow_mut());
            match pause {
                Some(pause) if self.deadline.pause(pause).await => {}
                _ => break Ec2Fault::Refused,
            }
        };
        Err(self.error(call, fault))
    }

    fn error(&self, call: Call, fault: Ec2Fault) -> Ec2Error {
        let answer = "RequestLimitExceeded".to_owned();
        Ec2Error { fault, answer, ..Ec2Error::cut_off(call.name(), &allocation(self.cluster)) }
    }

    fn address(&self, held: Option<AssociationId>) -> Address {
        let holder = if held.is_some() { self.cluster } else { self.cluster + DEAD };
        Address {
            public_ip: public_ip(self.cluster),
            allocation: allocation(self.cluster),
            association: Some(Association {
                id: held.unwrap_or_else(|| association(holder)),
                instance: Some(instance(holder)),
                interface: Some(interface(holder)),
                private_ip: Some(PRIVATE_IP),
            }),
            border_group: None,
            managed_by: None,
        }
    }
}

impl Ec2 for Node {
    async fn prepare(&self) -> Result<(), Ec2Error> {
        Ok(())
    }

    async fn describe(&self, _: &Selector) -> Result<Address, Ec2Error> {
        match self.policy {
            // What holds the address before is a question that the agent asks for its log, and nobody else.
            Policy::Fixed(_) | Policy::Sdk | Policy::Once if !self.ordered.get() => {
                Err(self.error(Call::Describe, Ec2Fault::Refused))
            }
            Policy::Once => Ok(self.address(self.account.held(self.cluster))),
            Policy::Ours | Policy::Fixed(_) | Policy::Sdk => {
                let held = self.call(Call::Describe, |account| account.held(self.cluster)).await?;
                Ok(self.address(held))
            }
        }
    }

    async fn on_target(&self, _: &Target) -> Result<Vec<Address>, Ec2Error> {
        panic!("a start restores nothing");
    }

    async fn associate(&self, _: &AllocationId, _: &Target, _: bool) -> Result<AssociationId, Ec2Error> {
        let id = association(self.cluster);
        self.call(Call::Associate, |account| account.associate(self.cluster, id.clone())).await?;
        self.ordered.set(true);
        Ok(id)
    }

    async fn disassociate(&self, _: &AssociationId) -> Result<(), Ec2Error> {
        panic!("a start lets nothing go");
    }

    async fn may_associate(&self, _: &AllocationId, _: &Target) -> Result<(), Ec2Error> {
        panic!("a start makes no dry run");
    }

    async fn may_disassociate(&self, _: &AssociationId) -> Result<(), Ec2Error> {
        panic!("a start makes no dry run");
    }
}

impl Imds for Node {
    async fn instance_id(&self) -> Result<InstanceId, ImdsError> {
        told(instance(self.cluster)).await
    }

    async fn region(&self) -> Result<String, ImdsError> {
        told("eu-west-1".to_owned()).await
    }

    async fn account(&self) -> Result<String, ImdsError> {
        told("123456789012".to_owned()).await
    }

    async fn primary_mac(&self) -> Result<MacAddress, ImdsError> {
        told(mac()).await
    }

    async fn macs(&self) -> Result<Vec<MacAddress>, ImdsError> {
        told(vec![mac()]).await
    }

    async fn interface(&self, mac: MacAddress) -> Result<Interface, ImdsError> {
        told(Interface { mac, id: interface(self.cluster), private_ips: vec![PRIVATE_IP] }).await
    }

    async fn interface_id(&self, _: MacAddress) -> Result<InterfaceId, ImdsError> {
        told(interface(self.cluster)).await
    }

    async fn attachment(&self, _: MacAddress) -> Result<Attachment, ImdsError> {
        told(Attachment { device_index: 0, network_card: 0 }).await
    }

    async fn subnet(&self, _: MacAddress) -> Result<Subnet, ImdsError> {
        told(Subnet { id: id("subnet-00000000000000001"), cidr: id("10.0.0.0/24") }).await
    }

    async fn association(&self, _: MacAddress, _: Ipv4Addr) -> Result<Vec<Ipv4Addr>, ImdsError> {
        told(self.account.held(self.cluster).map(|_| PRIVATE_IP).into_iter().collect()).await
    }

    async fn associations(&self, _: MacAddress) -> Result<Vec<(Ipv4Addr, Vec<Ipv4Addr>)>, ImdsError> {
        let held = self.account.held(self.cluster);
        told(held.map(|_| (public_ip(self.cluster), vec![PRIVATE_IP])).into_iter().collect()).await
    }
}

async fn told<T>(answer: T) -> Result<T, ImdsError> {
    sleep(METADATA).await;
    Ok(answer)
}
