"""moto's server, with one filter of DescribeNetworkInterfaces as EC2 documents it.

moto compares `addresses.private-ip-address` with the primary address of an interface only. EC2 compares all of them (API Reference,
DescribeNetworkInterfaces), and a resource `vip` asks by that filter who has its secondary address.
"""

import sys

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.server import main

moto_filter_value = NetworkInterface.get_filter_value


def get_filter_value(self, filter_name, method_name=None):
    if filter_name == "addresses.private-ip-address":
        return [item["PrivateIpAddress"] for item in self.private_ip_addresses]
    return moto_filter_value(self, filter_name, method_name)


if __name__ == "__main__":
    NetworkInterface.get_filter_value = get_filter_value
    sys.exit(main())
