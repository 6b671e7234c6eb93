//! Secondary private addresses in the account in memory.

use std::net::Ipv4Addr;

use super::{FakeEc2, State};
use crate::base::ids::{InstanceId, InterfaceId, SubnetId};
use crate::cloud::ec2::private_ips::{Eni, PrivateAddress, PrivateIps};
use crate::cloud::ec2::{Ec2Error, Fault};

const DESCRIBE: &str = "DescribeNetworkInterfaces";

impl FakeEc2 {
    /// Adds an interface of an instance with its primary address.
    pub fn add_eni(&self, instance: &str, id: &str, subnet: &str, own: &str) {
        self.0.borrow_mut().enis.push(Eni {
            id: id.parse().unwrap(),
            instance: instance.parse().ok(),
            device_index: Some(0),
            subnet: subnet.parse().ok(),
            addresses: vec![PrivateAddress { ip: own.parse().unwrap(), primary: true, public_ip: None }],
        });
    }

    /// Assigns as an external actor would; not counted as a call.
    pub fn give_private(&self, ip: &str, id: &str) {
        self.0.borrow_mut().assign(&id.parse().unwrap(), ip.parse().unwrap());
    }

    /// Unassigns a secondary address from its holder.
    pub fn free_private(&self, ip: &str) {
        self.0.borrow_mut().take_off(ip.parse().unwrap());
    }

    /// Associates an Elastic IP with a private address.
    pub fn put_public(&self, ip: &str, public_ip: &str) {
        let ip: Ipv4Addr = ip.parse().unwrap();
        let mut state = self.0.borrow_mut();
        let addresses = state.enis.iter_mut().flat_map(|eni| &mut eni.addresses);
        addresses.filter(|address| address.ip == ip).for_each(|a| a.public_ip = public_ip.parse().ok());
    }

    /// The interface that has an address.
    pub fn private_holder(&self, ip: &str) -> Option<String> {
        let ip: Ipv4Addr = ip.parse().unwrap();
        self.0.borrow().enis.iter().find(|eni| eni.address(ip).is_some()).map(|eni| eni.id.to_string())
    }

    /// Makes the next `count` describes of interfaces return the present state, whatever happens meanwhile.
    pub fn freeze_enis(&self, count: usize) {
        let mut state = self.0.borrow_mut();
        let now = state.enis.clone();
        state.stale_enis.extend(std::iter::repeat_n(now, count));
    }
}

impl State {
    fn shown(&mut self) -> Vec<Eni> {
        self.stale_enis.pop_front().unwrap_or_else(|| self.enis.clone())
    }

    fn take_off(&mut self, ip: Ipv4Addr) -> Option<PrivateAddress> {
        let mut taken = None;
        for eni in &mut self.enis {
            let at = eni.addresses.iter().position(|address| address.ip == ip && !address.primary);
            taken = at.map(|at| eni.addresses.remove(at)).or(taken);
        }
        taken
    }

    fn assign(&mut self, to: &InterfaceId, ip: Ipv4Addr) {
        let moved = self.take_off(ip).unwrap_or(PrivateAddress { ip, primary: false, public_ip: None });
        if let Some(eni) = self.enis.iter_mut().find(|eni| eni.id == *to) {
            eni.addresses.push(moved);
        }
    }
}

impl PrivateIps for FakeEc2 {
    async fn interfaces(&self, ids: &[InterfaceId]) -> Result<Vec<Eni>, Ec2Error> {
        let object = ids.iter().map(InterfaceId::as_str).collect::<Vec<_>>().join(",");
        self.call(DESCRIBE, object, |state| {
            let found: Vec<Eni> = state.shown().into_iter().filter(|eni| ids.contains(&eni.id)).collect();
            if found.len() == ids.len() { Ok(found) } else { Err(Fault::Target) }
        })
        .await
    }

    async fn holder(&self, ip: Ipv4Addr, subnet: &SubnetId) -> Result<Option<Eni>, Ec2Error> {
        self.call(DESCRIBE, ip.to_string(), |state| {
            let mut shown = state.shown().into_iter();
            Ok(shown.find(|eni| eni.subnet.as_ref() == Some(subnet) && eni.address(ip).is_some()))
        })
        .await
    }

    async fn interfaces_of(&self, instance: &InstanceId) -> Result<Vec<Eni>, Ec2Error> {
        self.call(DESCRIBE, instance.to_string(), |state| {
            Ok(state.shown().into_iter().filter(|eni| eni.instance.as_ref() == Some(instance)).collect())
        })
        .await
    }

    async fn assign(&self, to: &InterfaceId, ip: Ipv4Addr, reassign: bool) -> Result<(), Ec2Error> {
        self.call("AssignPrivateIpAddresses", format!("{ip} to {to}"), |state| {
            let target = state.enis.iter().find(|eni| eni.id == *to).ok_or(Fault::Target)?;
            if target.address(ip).is_some() {
                return Ok(());
            }
            let own = target.addresses.first().map(|address| address.ip.octets());
            if own.is_some_and(|own| own[..3] != ip.octets()[..3]) {
                return Err(Fault::Target);
            }
            if let Some(holder) = state.enis.iter().find_map(|eni| eni.address(ip))
                && (holder.primary || !reassign)
            {
                return Err(Fault::AlreadyAssociated);
            }
            state.assign(to, ip);
            Ok(())
        })
        .await
    }

    async fn unassign(&self, from: &InterfaceId, ip: Ipv4Addr) -> Result<(), Ec2Error> {
        self.call("UnassignPrivateIpAddresses", format!("{ip} from {from}"), |state| {
            let eni = state.enis.iter().find(|eni| eni.id == *from).ok_or(Fault::Target)?;
            match eni.address(ip) {
                None => Err(Fault::AssociationGone),
                Some(address) if address.primary => Err(Fault::Refused),
                Some(_) => {
                    state.take_off(ip);
                    Ok(())
                }
            }
        })
        .await
    }
}
