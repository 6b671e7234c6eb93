//! [`PrivateIps`] on the AWS SDK.

use std::net::Ipv4Addr;

use aws_sdk_ec2::types;

use super::{AnswerFlaw, AwsEc2, UNREADABLE, filter, parsed};
use crate::base::ids::{InstanceId, InterfaceId, SubnetId};
use crate::cloud::ec2::Ec2Error;
use crate::cloud::ec2::private_ips::{Eni, PrivateAddress, PrivateIps};
use crate::cloud::imds::Attachment;

pub(super) const DESCRIBE: &str = "DescribeNetworkInterfaces";
/// The largest page size. In accounts with many interfaces EC2 refuses an unpaginated query by instance.
const PAGE: i32 = 1000;

impl PrivateIps for AwsEc2 {
    async fn interfaces(&self, ids: &[InterfaceId]) -> Result<Vec<Eni>, Ec2Error> {
        let object = ids.iter().map(InterfaceId::as_str).collect::<Vec<_>>().join(",");
        let output = self
            .call(&self.general, DESCRIBE, &object, async |client| {
                let ids = ids.iter().map(ToString::to_string).collect();
                client.describe_network_interfaces().set_network_interface_ids(Some(ids)).send().await
            })
            .await?;
        all_of(output.network_interfaces(), &object)
    }

    async fn holder(&self, ip: Ipv4Addr, subnet: &SubnetId) -> Result<Option<Eni>, Ec2Error> {
        if let Some(listing) = &self.listing {
            return listing.holder(ip, subnet);
        }
        let output = self
            .call(&self.general, DESCRIBE, &ip, async |client| {
                client
                    .describe_network_interfaces()
                    // Several VPCs of an account can use the same address.
                    .filters(filter("subnet-id", [subnet.as_str()]))
                    .filters(filter("addresses.private-ip-address", [ip.to_string().as_str()]))
                    .send()
                    .await
            })
            .await?;
        let found = all_of(output.network_interfaces(), &ip)?;
        Ok(found.into_iter().rfind(|eni| eni.address(ip).is_some()))
    }

    async fn interfaces_of(&self, instance: &InstanceId) -> Result<Vec<Eni>, Ec2Error> {
        let shown = match &self.listing {
            Some(listing) => listing.interfaces(),
            None => &self.interfaces_with("attachment.instance-id", &[instance.to_string()]).await?,
        };
        let mut found = all_of(shown, instance)?;
        found.retain(|eni| eni.instance.as_ref() == Some(instance));
        Ok(found)
    }

    async fn assign(&self, to: &InterfaceId, ip: Ipv4Addr, reassign: bool) -> Result<(), Ec2Error> {
        let call = self.call(&self.general, "AssignPrivateIpAddresses", &ip, async |client| {
            client
                .assign_private_ip_addresses()
                .network_interface_id(to.as_str())
                .private_ip_addresses(ip.to_string())
                .allow_reassignment(reassign)
                .send()
                .await
        });
        self.guard.mutate(call).await.map(drop)
    }

    async fn unassign(&self, from: &InterfaceId, ip: Ipv4Addr) -> Result<(), Ec2Error> {
        let call = self.call(&self.general, "UnassignPrivateIpAddresses", &ip, async |client| {
            client
                .unassign_private_ip_addresses()
                .network_interface_id(from.as_str())
                .private_ip_addresses(ip.to_string())
                .send()
                .await
        });
        self.guard.mutate(call).await.map(drop)
    }
}

impl AwsEc2 {
    /// All interfaces that match a filter with one of these values.
    pub(super) async fn interfaces_with(
        &self,
        name: &str,
        values: &[String],
    ) -> Result<Vec<types::NetworkInterface>, Ec2Error> {
        let filter = filter(name, values.iter().map(String::as_str));
        self.call(&self.general, DESCRIBE, &values.join(","), async |client| {
            let request = client.describe_network_interfaces().filters(filter).max_results(PAGE);
            request.into_paginator().items().send().collect().await
        })
        .await
    }
}

pub(super) fn all_of(
    interfaces: &[types::NetworkInterface],
    asked: &impl ToString,
) -> Result<Vec<Eni>, Ec2Error> {
    let found: Result<_, _> = interfaces.iter().map(interface).collect();
    found.map_err(|(fault, answer)| Ec2Error::new(DESCRIBE, asked, fault, answer))
}

/// Converts an interface to our own type.
fn interface(interface: &types::NetworkInterface) -> Result<Eni, AnswerFlaw> {
    let attachment = interface.attachment();
    let address = |address: &types::NetworkInterfacePrivateIpAddress| {
        let public_ip = address.association().and_then(|association| association.public_ip());
        Ok(PrivateAddress {
            ip: parsed(address.private_ip_address())?.ok_or(UNREADABLE)?,
            primary: address.primary().unwrap_or(false),
            public_ip: parsed(public_ip)?,
        })
    };
    let addresses: Result<_, AnswerFlaw> = interface.private_ip_addresses().iter().map(address).collect();
    Ok(Eni {
        id: parsed(interface.network_interface_id())?.ok_or(UNREADABLE)?,
        instance: parsed(attachment.and_then(|attachment| attachment.instance_id()))?,
        attachment: attachment.and_then(|a| {
            let network_card = u32::try_from(a.network_card_index().unwrap_or_default()).ok()?;
            Some(Attachment { device_index: u32::try_from(a.device_index()?).ok()?, network_card })
        }),
        subnet: parsed(interface.subnet_id())?,
        addresses: addresses?,
    })
}
