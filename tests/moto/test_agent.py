"""The built agent with moto as its EC2, and moto's own DescribeAddresses as the judge.

moto's metadata service does not work with the SDK, so each node's is aws-sim's, for instances with moto's ids. aws-sim's own EC2 is never
used: the tests set what its metadata shows of an address.
"""

import contextlib
import json
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import NamedTuple

import servers
import worlds
from session import client

ACTION_LIMIT = 30.0
# Where an agent that ignores a parameter ends up: nothing listens there.
NOWHERE = "http://127.0.0.1:9"
SETTLED = {"settle_window": "0"}
NO_HOLDER = ""


class Answer(NamedTuple):
    code: int
    stdout: str
    stderr: str


class Node:
    """An instance of moto's with the agent on it."""

    def __init__(self, folder: Path, interface: str, endpoint_url: str, imds_endpoint: str, agent: str):
        self.interface = interface
        # The name by which the binary is called.
        self.program = folder / agent
        self.program.symlink_to(servers.built("eip"))
        self.log = folder / "log"
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_RESOURCE_INSTANCE": "address",
            "OCF_RESOURCE_TYPE": agent,
            "OCF_RESOURCE_PROVIDER": "heartbeat",
            "OCF_RESKEY_CRM_meta_timeout": "20000",
            "OCF_RESKEY_endpoint_url": endpoint_url,
            "OCF_RESKEY_imds_endpoint": imds_endpoint,
            "AWS_ENDPOINT_URL": NOWHERE,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": NOWHERE,
            "HA_LOGFILE": str(self.log),
            "EIP_STATE_DIR": str(folder / "state"),
        }

    def run(self, action: str, environment: dict[str, str] | None = None, **parameters: str) -> Answer:
        given = {f"OCF_RESKEY_{name}": value for name, value in parameters.items()}
        done = subprocess.run(
            [self.program, action],
            env={**self.environment, **given, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ACTION_LIMIT,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def monitor(self, **parameters: str) -> Answer:
        return self.run("monitor", {"OCF_RESKEY_CRM_meta_interval": "10000"}, **parameters)


class AgentAgainstMoto(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        running = contextlib.ExitStack()
        cls.addClassCleanup(running.close)
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        cls.url = running.enter_context(servers.moto(folder))
        cls.ec2 = client(cls.url)

    def setUp(self):
        running = contextlib.ExitStack()
        self.addCleanup(running.close)
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        names = worlds.moto_world(self.url)
        self.id_of = {name: identifier for identifier, name in names.items()}
        allocated = self.ec2.allocate_address(Domain="vpc")
        self.allocation, self.address = allocated["AllocationId"], allocated["PublicIp"]
        self.parameters = {"elastic_ip": self.address, "allocation_id": self.allocation}

        world = folder / "world.json"
        world.write_text(json.dumps(worlds.as_sim_world(names)))
        instances = [self.id_of[f"instance {name}"] for name in "ab"]
        metadata = [part for one in instances for part in ("--imds", f"{one}=127.0.0.1:0")]
        self.sim, imds = running.enter_context(servers.aws_sim(folder, "--world", str(world), *metadata))
        self.a, self.b = (
            self.node(folder / name, f"interface {name}", imds[instance])
            for name, instance in zip("ab", instances, strict=True)
        )
        self.vip = self.node(folder / "vip on a", "interface a", imds[instances[0]], "vip")
        self.overlay_a, self.overlay_b = (
            self.node(folder / f"overlay on {name}", f"interface {name}", imds[instance], "overlay-ip")
            for name, instance in zip("ab", instances, strict=True)
        )

    def node(self, folder: Path, interface: str, imds: str, agent: str = "eip") -> Node:
        folder.mkdir()
        return Node(folder, self.id_of[interface], self.url, imds, agent)

    def assert_answer(self, code: int, answer: Answer, node: Node):
        log = node.log.read_text() if node.log.exists() else ""
        self.assertEqual(code, answer.code, f"{answer.stderr}\n{log}")
        self.assertEqual("", answer.stdout)

    def does(self, code: int, node: Node, action: str, **parameters: str) -> Answer:
        """Runs an action and asserts its exit code; a failed one gives exactly one reason, a successful one is silent."""
        answer = node.run(action, **{**self.parameters, **parameters})
        self.assert_answer(code, answer, node)
        lines = answer.stderr.splitlines()
        reasons = [line for line in lines if line.startswith("ocf-exit-reason:")]
        self.assertEqual(0 if code == 0 else 1, len(reasons), answer.stderr)
        return answer

    def monitors(self, code: int, node: Node, **parameters: str):
        self.assert_answer(code, node.monitor(**{**self.parameters, **parameters}), node)

    def association(self) -> tuple[str, str]:
        """The interface that holds the address, according to moto, and the association; "" if unassigned."""
        found = self.ec2.describe_addresses(AllocationIds=[self.allocation])["Addresses"][0]
        return found.get("NetworkInterfaceId", NO_HOLDER), found.get("AssociationId", NO_HOLDER)

    def assert_holder(self, node: Node | None):
        self.assertEqual(node.interface if node else NO_HOLDER, self.association()[0])

    def show_in_metadata(self, node: Node):
        """Shows the address in the node's metadata, as AWS does some time after the association."""
        worlds.associate_in_sim(self.sim, self.address, node.interface)

    def test_start_monitor_start_stop_stop(self):
        self.does(0, self.a, "start")
        self.assert_holder(self.a)
        self.monitors(0, self.a)
        before = self.association()
        self.show_in_metadata(self.a)
        self.does(0, self.a, "start")
        # moto makes a new association for each call: the same one means that there was no call.
        self.assertEqual(before, self.association())
        self.does(0, self.a, "stop")
        self.assert_holder(None)
        self.monitors(7, self.a)
        self.does(0, self.a, "stop")
        self.assert_holder(None)

    def test_takeover_and_late_stop_of_the_old_holder(self):
        self.does(0, self.a, "start")
        self.does(0, self.b, "start")
        self.assert_holder(self.b)
        self.monitors(7, self.a)
        before = self.association()
        self.does(0, self.a, "stop")
        self.assertEqual(before, self.association())
        self.monitors(0, self.b)

    def test_probe_of_a_free_address(self):
        self.assert_answer(7, self.a.run("monitor", **self.parameters), self.a)
        self.assert_holder(None)

    def test_unknown_allocation(self):
        self.parameters = {"allocation_id": "eipalloc-00000000000000bad"}
        answer = self.does(2, self.a, "start")
        self.assertIn("InvalidAllocationID.NotFound", answer.stderr)
        self.assert_holder(None)

    def test_unknown_address(self):
        self.parameters = {"elastic_ip": "198.51.100.77"}
        answer = self.does(2, self.a, "start")
        self.assertIn("InvalidAddress.NotFound", answer.stderr)

    def test_validate_all_at_level_10(self):
        self.does(0, self.a, "start")
        answer = self.a.run("validate-all", {"OCF_CHECK_LEVEL": "10"}, **self.parameters)
        self.assert_answer(0, answer, self.a)
        self.assert_holder(self.a)

    def private_addresses(self, node: Node) -> list[str]:
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=[node.interface])["NetworkInterfaces"]
        return [address["PrivateIpAddress"] for address in found[0]["PrivateIpAddresses"]]

    def test_secondary_private_address_comes_and_goes(self):
        """On one node: moto lets two interfaces have the same private address (deviations.py), so nothing can be taken over there."""
        address = "10.0.0.101"
        self.parameters = {"secondary_private_ip": address, "add_to_device": "false"}
        self.assert_answer(7, self.vip.run("monitor", **self.parameters), self.vip)
        self.does(0, self.vip, "start")
        self.assertIn(address, self.private_addresses(self.vip))
        self.monitors(0, self.vip)
        # The metadata is aws-sim's, which does not know the address: EC2 is right.
        self.monitors(0, self.vip, **SETTLED)
        before = self.private_addresses(self.vip)
        self.does(0, self.vip, "start")
        self.assertEqual(before, self.private_addresses(self.vip))
        self.does(0, self.vip, "stop")
        self.assertNotIn(address, self.private_addresses(self.vip))
        self.monitors(7, self.vip)
        self.does(0, self.vip, "stop")

    def test_overlay_address_moves_and_a_stop_leaves_the_routes(self):
        """Without a check at level 10: moto executes a dry run as a real call (deviations.py)."""
        tables = [self.id_of["table"], self.second_table()]
        for table in tables:
            self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="192.168.10.1/32", NetworkInterfaceId=self.id_of["interface two/0"])
        for interface in (self.a.interface, self.b.interface):
            self.ec2.modify_network_interface_attribute(NetworkInterfaceId=interface, SourceDestCheck={"Value": False})
        self.parameters = {"overlay_ip": "192.168.10.1", "routing_table": ",".join(tables), "add_to_device": "false"}
        self.does(0, self.overlay_a, "start")
        self.assertEqual([self.a.interface] * 2, [self.leads_to(table) for table in tables])
        self.monitors(0, self.overlay_a)
        self.does(0, self.overlay_b, "start")
        self.assertEqual([self.b.interface] * 2, [self.leads_to(table) for table in tables])
        self.monitors(7, self.overlay_a, route_check_interval="0")
        self.does(0, self.overlay_a, "stop")
        self.assertEqual([self.b.interface] * 2, [self.leads_to(table) for table in tables])

    def second_table(self) -> str:
        first = self.ec2.describe_route_tables(RouteTableIds=[self.id_of["table"]])["RouteTables"][0]
        return self.ec2.create_route_table(VpcId=first["VpcId"])["RouteTable"]["RouteTableId"]

    def leads_to(self, table: str) -> str:
        routes = self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
        return next(route["NetworkInterfaceId"] for route in routes if route.get("DestinationCidrBlock") == "192.168.10.1/32")


if __name__ == "__main__":
    unittest.main()
