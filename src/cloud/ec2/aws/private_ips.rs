//! [`PrivateIps`] by the AWS SDK.

use std::net::Ipv4Addr;

use aws_sdk_ec2::types::{self, Filter};

use super::AwsEc2;
use crate::base::ids::{InstanceId, InterfaceId, SubnetId};
use crate::cloud::ec2::Ec2Error;
use crate::cloud::ec2::private_ips::{Eni, PrivateAddress, PrivateIps};

const DESCRIBE: &str = "DescribeNetworkInterfaces";

impl PrivateIps for AwsEc2 {
    async fn interfaces(&self, ids: &[InterfaceId]) -> Result<Vec<Eni>, Ec2Error> {
        let object = ids.iter().map(InterfaceId::as_str).collect::<Vec<_>>().join(",");
        let output = self
            .call(DESCRIBE, &object, async |client| {
                let ids = ids.iter().map(ToString::to_string).collect();
                client.describe_network_interfaces().set_network_interface_ids(Some(ids)).send().await
            })
            .await?;
        Ok(output.network_interfaces().iter().filter_map(interface).collect())
    }

    async fn holder(&self, ip: Ipv4Addr, subnet: &SubnetId) -> Result<Option<Eni>, Ec2Error> {
        let output = self
            .call(DESCRIBE, &ip.to_string(), async |client| {
                client
                    .describe_network_interfaces()
                    // The same address can be in use in several networks of an account.
                    .filters(filter("subnet-id", subnet.to_string()))
                    .filters(filter("addresses.private-ip-address", ip.to_string()))
                    .send()
                    .await
            })
            .await?;
        let mut found = output.network_interfaces().iter().filter_map(interface);
        Ok(found.rfind(|eni| eni.address(ip).is_some()))
    }

    async fn interfaces_of(&self, instance: &InstanceId) -> Result<Vec<Eni>, Ec2Error> {
        let output = self
            .call(DESCRIBE, instance.as_str(), async |client| {
                let filter = filter("attachment.instance-id", instance.to_string());
                client.describe_network_interfaces().filters(filter).send().await
            })
            .await?;
        let found = output.network_interfaces().iter().filter_map(interface);
        Ok(found.filter(|eni| eni.instance.as_ref() == Some(instance)).collect())
    }

    async fn assign(&self, to: &InterfaceId, ip: Ipv4Addr, reassign: bool) -> Result<(), Ec2Error> {
        self.call("AssignPrivateIpAddresses", &ip.to_string(), async |client| {
            client
                .assign_private_ip_addresses()
                .network_interface_id(to.as_str())
                .private_ip_addresses(ip.to_string())
                .allow_reassignment(reassign)
                .send()
                .await
        })
        .await
        .map(drop)
    }

    async fn unassign(&self, from: &InterfaceId, ip: Ipv4Addr) -> Result<(), Ec2Error> {
        self.call("UnassignPrivateIpAddresses", &ip.to_string(), async |client| {
            client
                .unassign_private_ip_addresses()
                .network_interface_id(from.as_str())
                .private_ip_addresses(ip.to_string())
                .send()
                .await
        })
        .await
        .map(drop)
    }
}

fn filter(name: &str, value: String) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Returns the interface in our own types; nothing where its id is missing. Absent fields come as absent or empty.
fn interface(interface: &types::NetworkInterface) -> Option<Eni> {
    let attachment = interface.attachment();
    let address = |address: &types::NetworkInterfacePrivateIpAddress| {
        Some(PrivateAddress {
            ip: address.private_ip_address()?.parse().ok()?,
            primary: address.primary().unwrap_or(false),
            public_ip: address.association().and_then(|association| association.public_ip()?.parse().ok()),
        })
    };
    Some(Eni {
        id: interface.network_interface_id()?.parse().ok()?,
        instance: attachment.and_then(|a| a.instance_id()?.parse().ok()),
        device_index: attachment.and_then(|a| u32::try_from(a.device_index()?).ok()),
        subnet: interface.subnet_id().and_then(|id| id.parse().ok()),
        addresses: interface.private_ip_addresses().iter().filter_map(address).collect(),
    })
}
