"""The packaged agents for aarch64 on an emulated Graviton 1 whose kernel has pages of 64 KiB, like RHEL 8's: `make aarch64-test`."""

import unittest

import debs
import place
from machine import AGENT, folder, needs, run
from node import ADDRESS, INSTANCE, LIFE, node
from place import HERE, INTERFACES, OWN, PEER
from servers import request

# No backtrace there: this qemu can't handle both pages of that size and unwinding.
QEMU = ["qemu-aarch64", "-cpu", "cortex-a72", "-p", "65536", "-L", "/usr/aarch64-linux-gnu"]
PRIVATE, TABLE = "10.0.0.100", "rtb-00000000000000001"
ACCOUNT = {
    "instances": [
        {"id": INSTANCE, "interfaces": [{"private_ips": [OWN[HERE]], "unchecked": True}], "subnet": "10.0.0.0/24", "role": "node"},
    ],
    "addresses": [{"public_ip": ADDRESS}],
    "route_tables": [{"id": TABLE, "routes": {place.ADDRESS: INTERFACES[PEER]}}],
}
# For each agent its parameters, its address on the network device, and the call that takes the address.
AGENTS = {
    "eip": ({"elastic_ip": ADDRESS}, None, "AssociateAddress"),
    "vip": ({"secondary_private_ip": PRIVATE}, f" {PRIVATE}/24 ", "AssignPrivateIpAddresses"),
    "overlay-ip": ({"ip": place.ADDRESS, "routing_table": TABLE, "interface": "eth0"}, f" {place.ADDRESS}/32 ", "ReplaceRoute"),
}


@needs("qemu-aarch64", "dpkg-deb", "ip", root=True)
class Emulated(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        place.enter()

    def test_a_whole_life_of_a_resource_of_each_kind(self):
        for name, (parameters, on_device, taking) in AGENTS.items():
            with self.subTest(name), folder() as here, node(here, ACCOUNT) as there:
                run("dpkg-deb", "--extract", debs.made()["eip"], here / "root")
                there.unpacked((here / "root" / AGENT.lstrip("/")).with_name(name), here)
                there.prefix = QEMU
                del there.environment["OCF_RESKEY_elastic_ip"]
                there.environment |= {f"OCF_RESKEY_{key}": value for key, value in parameters.items()} | {"OCF_RESOURCE_TYPE": name}
                (own,) = request("GET", f"{there.url}/_sim/state")["instances"]
                place.ip("link", "set", "eth0", "address", own["interfaces"][0]["mac"])
                calls = []
                for code, action, environment, holds in LIFE:
                    answer = there.run(action, **environment)
                    self.assertEqual(code, answer.code, f"{action}: {answer.stderr}")
                    held = on_device in place.ip("-o", "address", "show") if on_device else there.holds()
                    self.assertEqual(holds, held, action)
                    calls += there.calls()
                self.assertIn(taking, calls)


if __name__ == "__main__":
    unittest.main()
