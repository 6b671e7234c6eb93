"""moto's server, with two changes for the tests.

moto compares `addresses.private-ip-address` only with the primary address of an interface. EC2 compares all of them (API Reference,
DescribeNetworkInterfaces), and a resource `vip` queries the holder of its secondary address by that filter.

A resource `overlay-ip` compares the VPC of its route tables with that of its node. The node's metadata is aws-sim's, so every VPC that
is created here has the id of aws-sim's.
"""

import sys

from moto.ec2.models import vpcs
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.server import main

VPC = "vpc-0a1b2c3d4e5f60718"

moto_filter_value = NetworkInterface.get_filter_value
moto_create_vpc = vpcs.VPCBackend.create_vpc
moto_vpc_id = vpcs.random_vpc_id


def get_filter_value(self, filter_name, method_name=None):
    if filter_name == "addresses.private-ip-address":
        return [item["PrivateIpAddress"] for item in self.private_ip_addresses]
    return moto_filter_value(self, filter_name, method_name)


def create_vpc(self, *arguments, is_default=False, **options):
    vpcs.random_vpc_id = moto_vpc_id if is_default else lambda: VPC
    return moto_create_vpc(self, *arguments, is_default=is_default, **options)


if __name__ == "__main__":
    NetworkInterface.get_filter_value = get_filter_value
    vpcs.VPCBackend.create_vpc = create_vpc
    sys.exit(main())
