"""An EC2 instance of aws-sim's for an agent that is run by hand, in a scratch root or outside of one."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from machine import AGENT, LIMIT
from servers import aws_sim, free_port, request

ADDRESS = "203.0.113.10"
INSTANCE = "i-0aaaaaaaaaaaaaaaa"
WORLD = {
    "instances": [{"id": INSTANCE, "interfaces": [{"private_ips": ["10.0.1.11"]}], "role": "node"}],
    "addresses": [{"public_ip": ADDRESS}],
}
# Where an agent that ignores a parameter ends up: nothing listens there.
NOWHERE = "http://127.0.0.1:9"

RECURRING = {"OCF_RESKEY_CRM_meta_interval": "10000"}
DEEP = {"OCF_CHECK_LEVEL": "10"}
# The whole life of a resource: exit code, action, its environment besides the parameters, and
# whether the node has the address afterwards.
LIFE = [
    (0, "meta-data", {}, False),
    (0, "validate-all", DEEP, False),
    (7, "monitor", {}, False),
    (0, "start", {}, True),
    (0, "start", {}, True),
    (0, "monitor", {}, True),
    (0, "monitor", RECURRING, True),
    (0, "monitor", RECURRING | DEEP, True),
    (0, "monitor", RECURRING | {"OCF_RESKEY_settle_window": "0"}, True),
    (0, "migrate_to", {}, True),
    (0, "migrate_from", {}, True),
    (0, "reload-agent", {}, True),
    (0, "stop", {}, False),
    (0, "stop", {}, False),
    (7, "monitor", RECURRING, False),
    (3, "no-such-action", {}, False),
]


class Answer(NamedTuple):
    code: int
    stdout: str
    stderr: str


class Node:
    """The instance; `prefix` is the command that runs a program on it (strace, chroot), `agent` the program."""

    def __init__(self, url: str, imds: str, tls: str, ca: Path):
        self.url, self.tls, self.ca = url, tls, ca
        self.prefix: list[str] = []
        self.agent = AGENT
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_RESOURCE_INSTANCE": "address",
            "OCF_RESOURCE_TYPE": "eip",
            "OCF_RESOURCE_PROVIDER": "heartbeat",
            "OCF_RESKEY_CRM_meta_timeout": "60000",
            "OCF_RESKEY_elastic_ip": ADDRESS,
            "OCF_RESKEY_endpoint_url": url,
            "OCF_RESKEY_imds_endpoint": imds,
            "AWS_ENDPOINT_URL": NOWHERE,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": NOWHERE,
        }

    def unpacked(self, agent: Path, place: Path):
        """Runs this file as the agent, with its state and log in a folder, and EC2 behind TLS."""
        self.agent = str(agent)
        self.environment |= {
            "EIP_STATE_DIR": str(place / "state"),
            "HA_LOGFILE": str(place / "log"),
            "OCF_RESKEY_endpoint_url": self.tls,
            "OCF_RESKEY_ca_bundle": str(self.ca),
        }

    def begin(self, action: str, **environment: str) -> subprocess.Popen:
        """Starts an action without waiting for its end."""
        return subprocess.Popen(
            [*self.prefix, self.agent, action],
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, action: str, **environment: str) -> Answer:
        running = self.begin(action, **environment)
        try:
            stdout, stderr = running.communicate(timeout=LIMIT)
        except BaseException:
            running.kill()
            running.communicate()
            raise
        return Answer(running.returncode, stdout, stderr)

    def monitor(self, **environment: str) -> Answer:
        return self.run("monitor", **RECURRING, **environment)

    def holds(self) -> bool:
        """True if the address is here, according to EC2."""
        (address,) = request("GET", f"{self.url}/_sim/state")["addresses"]
        return bool(address["association"])

    def calls(self, service: str = "ec2") -> list[str]:
        """The calls to a service since the last time."""
        log = request("GET", f"{self.url}/_sim/log")
        request("POST", f"{self.url}/_sim/clear", {"log": True})
        return [one["operation"] for one in log if one["service"] == service]

    def metadata(self, state: str):
        """Sets the state of the metadata service: "on" or "hang"."""
        request("POST", f"{self.url}/_sim/settings", {"imds_state": state})


@contextmanager
def node(folder: Path, account: dict = WORLD) -> Iterator[Node]:
    """Runs aws-sim with one instance, whose agent keeps its state and its log in this folder."""
    world, ca = folder / "world.json", folder / "ca.pem"
    world.write_text(json.dumps(account))
    port = free_port()
    arguments = ["--world", str(world), "--imds", f"{INSTANCE}=127.0.0.1:0", "--ec2-tls", f"127.0.0.1:{port}", "--ca", str(ca)]
    with aws_sim(folder, *arguments) as (url, imds):
        yield Node(url, imds[INSTANCE], f"https://127.0.0.1:{port}", ca)
