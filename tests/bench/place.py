"""A node in its own network namespace: aws-sim behind 169.254.169.254 and as EC2, and the agents that are compared on it.

This process moves into the namespace, and all its children start in it. The namespace ends with the last of them.
"""

import contextlib
import ctypes
import functools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import servers
from servers import request

REPOSITORY = Path(__file__).resolve().parents[2]
OCF_ROOT = Path("/usr/lib/ocf")
METADATA = "169.254.169.254"
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000

ADDRESS = "192.168.10.1"
PUBLIC = "203.0.113.10"
HERE, PEER = "i-0123456789abcdef1", "i-0123456789abcdef2"
INTERFACES = {HERE: "eni-0123456789abcdef1", PEER: "eni-0123456789abcdef2"}
# On this node, too.
SECOND_INTERFACE = "eni-0123456789abcdef3"
OWN = {HERE: "10.0.0.11", PEER: "10.0.0.12"}
OTHER_ACCOUNT = "210987654321"
ROLE = "cluster-routes"
LIMIT = 240.0
CONFIG = "[default]\nregion = eu-west-1\n"


class Outcome(NamedTuple):
    """Result and cost of an action."""

    code: int
    stderr: str
    # Start time, in seconds since 1970.
    began: float
    # In seconds.
    wall: float
    cpu: float
    # In MiB, for the largest of its processes.
    memory: float


def clean_up_when_ended():
    """Makes `kill` end this process like an exception, so that the simulator ends with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))


@functools.cache
def enter():
    """Leaves the machine's network and mounts, once."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
        sys.exit(f"root is needed for network namespaces: {os.strerror(ctypes.get_errno())}")
    # /sys shows the network devices of the namespace in which it was mounted.
    for mount in (["--make-rprivate", "/"], ["-t", "sysfs", "sysfs", "/sys"]):
        subprocess.run(["mount", *mount], check=True)
    ip("link", "set", "lo", "up")
    ip("address", "add", f"{METADATA}/32", "dev", "lo")
    ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0-peer")
    ip("address", "add", f"{OWN[HERE]}/24", "dev", "eth0")
    ip("link", "set", "eth0-peer", "up")
    ip("link", "set", "eth0", "up")


def ip(*arguments: str) -> str:
    return subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True).stdout


class Place:
    """An account with two nodes, of which this is one, and route tables that lead the address to the other one."""

    def __init__(self, folder: Path, ec2: str):
        self.folder = folder
        self.ec2 = ec2
        made = request("GET", f"{ec2}/_sim/state")["instances"]
        mac = next(one for one in made if one["id"] == HERE)["interfaces"][0]["mac"]
        ip("link", "set", "eth0", "address", mac)
        (folder / "config").write_text(CONFIG)
        self.tables: list[str] = []
        # Round trip to EC2, in seconds.
        self.round_trip = 0.0

    def settings(self, **settings):
        request("POST", f"{self.ec2}/_sim/settings", settings)

    def delay(self, milliseconds: int):
        """Sets the round trip to EC2."""
        self.settings(latency_ms=milliseconds)
        self.round_trip = milliseconds / 1000

    def fault(self, operation: str, kind, **more):
        request("POST", f"{self.ec2}/_sim/fault", {"service": "ec2", "operation": operation, "kind": kind, **more})

    def clear(self):
        request("POST", f"{self.ec2}/_sim/clear")

    def route(self, count: int, to: str | None = INTERFACES[PEER], shared: bool = False, blackhole: bool = False):
        """Makes that many tables lead the address to an interface, or have no route for it."""
        self.tables = [f"rtb-{number:017x}" for number in range(1, count + 1)]
        for table in self.tables:
            spec = {"id": table, "routes": {ADDRESS: to} if to else {}, "blackhole": blackhole}
            request("POST", f"{self.ec2}/_sim/route_tables", spec | ({"owner": OTHER_ACCOUNT} if shared else {}))

    def forget(self):
        """Removes our agent's records."""
        for path in (self.folder / "state").rglob("*.json"):
            path.unlink()

    def start_over(self):
        """Restores the initial state, except for the route tables."""
        self.take_off_device()
        self.forget()
        self.clear()
        self.settings(latency_ms=0, imds_state="on", instance=HERE)
        self.settings(allow=["ReplaceRoute", "DescribeRouteTables", "AssumeRole"])
        (self.folder / "config").write_text(CONFIG)

    def log(self, *operations: str) -> list[dict]:
        entries = request("GET", f"{self.ec2}/_sim/log")
        return [entry for entry in entries if not operations or entry["operation"] in operations]

    def calls(self) -> int:
        """Number of calls to EC2 and STS since the log was cleared."""
        return sum(entry["service"] != "imds" for entry in self.log())

    def is_on_device(self) -> bool:
        return f" {ADDRESS}/32 " in ip("-o", "address", "show")

    def take_off_device(self):
        take_off(ADDRESS)


def take_off(address: str):
    """Removes an address from the device, whatever its prefix length."""
    with contextlib.suppress(subprocess.CalledProcessError):
        ip("address", "flush", "dev", "eth0", "to", f"{address}/32")


def timed(command: list[str], environment: Mapping[str, str]) -> Outcome:
    """Runs a command and measures what it and its children used."""
    with tempfile.TemporaryFile() as stderr:
        began = time.time()
        clock = time.monotonic()
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - clock
        process.returncode = os.waitstatus_to_exitcode(status)
        stderr.seek(0)
        text = stderr.read().decode(errors="replace")
    cpu = usage.ru_utime + usage.ru_stime
    return Outcome(process.returncode, text, began, wall, cpu, usage.ru_maxrss / 1024)


def said(values: list[float], digits: int = 0, factor: float = 1000.0) -> str:
    """The median, with minimum and maximum if they differ from it."""
    if not values:
        return ""
    texts = [f"{factor * value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values))]
    return texts[0] if len(set(texts)) == 1 else f"{texts[0]} ({texts[1]}-{texts[2]})"


def overlay(place: Place) -> dict[str, str]:
    """The parameters of an overlay address on this node."""
    return {"ip": ADDRESS, "routing_table": ",".join(place.tables), "interface": "eth0"}


class Agent:
    """An agent under the OCF calling convention, with its usual parameters on this node."""

    def __init__(self, place: Place, kind: str, program: Path, aws: Path | None = None, usual: Callable[[Place], dict[str, str]] = overlay):
        self.place, self.kind, self.usual = place, kind, usual
        self.program = program
        path = "/usr/sbin:/usr/bin:/sbin:/bin"
        self.environment = {
            "PATH": f"{aws.parent}:{path}" if aws else path,
            "HOME": str(place.folder),
            "OCF_ROOT": str(OCF_ROOT),
            "OCF_RESOURCE_INSTANCE": "address",
            "OCF_RESOURCE_TYPE": kind,
            "OCF_RESOURCE_PROVIDER": "heartbeat",
            "OCF_RESKEY_CRM_meta_timeout": "60000",
            "__OCF_RA_VERSION_MAJOR": "1",
            "HA_LOGFILE": str(place.folder / f"{kind}.log"),
            "HA_RSCTMP": str(place.folder / "run"),
            "EIP_STATE_DIR": str(place.folder / "state"),
            "AWS_ENDPOINT_URL": place.ec2,
            "AWS_CONFIG_FILE": str(place.folder / "config"),
        }
        if aws:
            self.environment["OCF_RESKEY_awscli"] = str(aws)

    def start(self, **parameters: str) -> Outcome:
        return self.run("start", **parameters)

    def stop(self, **parameters: str) -> Outcome:
        return self.run("stop", **parameters)

    def monitor(self, **parameters: str) -> Outcome:
        return self.run("monitor", OCF_RESKEY_CRM_meta_interval="10000", **parameters)

    def probe(self, **parameters: str) -> Outcome:
        return self.run("monitor", OCF_RESKEY_CRM_meta_interval="0", **parameters)

    def validate(self, **parameters: str) -> Outcome:
        return self.run("validate-all", **parameters)

    def said(self) -> str:
        """Its log so far."""
        log = Path(self.environment["HA_LOGFILE"])
        return log.read_text(errors="replace") if log.exists() else ""

    def given(self, parameters: dict[str, str]) -> dict[str, str]:
        named = {**self.usual(self.place), **parameters}
        for name in parameters.get("without", "").split():
            del named[name]
        named.pop("without", None)
        return {name if name.startswith("OCF_") else f"OCF_RESKEY_{name}": value for name, value in named.items()}

    def run(self, action: str, **parameters: str) -> Outcome:
        """Runs an action. A parameter whose name begins with OCF_ is an environment variable, `without` names usual ones to omit."""
        return timed([str(self.program), action], {**self.environment, **self.given(parameters)})

    def processes(self, action: str, **parameters: str) -> int:
        """Number of processes and threads of an action: in a PID namespace they are numbered consecutively."""
        count = f'"{self.program}" {action} >/dev/null 2>&1; sh -c \'echo $$\''
        environment = {**self.environment, **self.given(parameters)}
        command = ["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", count]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT, check=True)
        # The first is the shell, the last the one that prints its number.
        return int(done.stdout) - 2


@contextlib.contextmanager
def place(second_interface: bool = False):
    """Runs aws-sim as long as the block lasts; yields the place. On a node with a second interface aws-vpc-move-ip has a defect, and awseip fails."""
    with contextlib.ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        (folder / "run").mkdir()
        instances = [
            {"id": id, "interfaces": [{"eni": eni, "private_ips": [OWN[id]], "unchecked": True}], "subnet": "10.0.0.0/24", "role": "node"}
            for id, eni in INTERFACES.items()
        ]
        if second_interface:
            instances[0]["interfaces"].append({"eni": SECOND_INTERFACE, "private_ips": ["10.0.0.21"], "unchecked": True})
        world = folder / "world.json"
        world.write_text(json.dumps({"instances": instances, "addresses": [{"public_ip": PUBLIC}]}))
        serve = servers.aws_sim(folder, "--world", str(world), "--imds", f"{HERE}={METADATA}:80")
        ec2, _ = running.enter_context(serve)
        here = Place(folder, ec2)
        (folder / "bin").mkdir()
        yield here


def overlay_agents(here: Place) -> tuple[Agent, Agent]:
    """Our agent and the distribution's."""
    return ours(here, "overlay-ip", overlay), old(here, "aws-vpc-move-ip", overlay)


def ours(here: Place, name: str, usual: Callable[[Place], dict[str, str]]) -> Agent:
    path = here.folder / "bin" / name
    path.symlink_to(servers.built("eip"))
    return Agent(here, name, path, usual=usual)


def old(here: Place, name: str, usual: Callable[[Place], dict[str, str]]) -> Agent:
    """One of the distribution's agents, with the AWS CLI."""
    return Agent(here, name, old_agent(name), aws_cli(here.folder), usual)


def old_agent(name: str) -> Path:
    path = OCF_ROOT / "resource.d/heartbeat" / name
    if not path.exists():
        sys.exit(f"{path} is not there: it comes with the package resource-agents")
    return path


def aws_cli(folder: Path) -> Path:
    """PyPI's AWS CLI, as a separate program."""
    arguments = ["sh", "tests/python-env", "tests/examples/requirements.txt"]
    env = subprocess.run(arguments, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    path = folder / "cli" / "aws"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {env}/bin/python -W ignore -m awscli "$@"\n')
    path.chmod(0o755)
    return path
