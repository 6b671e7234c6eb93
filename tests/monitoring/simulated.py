"""A simulated node with the built binary under each of its names."""

import contextlib
import json
import subprocess
import tempfile
from pathlib import Path

import servers

ADDRESS, INSTANCE = "203.0.113.10", "i-0000000000000000a"


class SimulatedNode:
    """A folder of programs and records, and the environment that Pacemaker would set."""

    def __init__(self, folder: Path, sim: str, imds: str):
        self.folder, self.sim = folder, sim
        self.environment = {
            "PATH": f"{folder}:/usr/sbin:/usr/bin:/sbin:/bin",
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_RESOURCE_INSTANCE": "eip",
            "OCF_RESKEY_elastic_ip": ADDRESS,
            "OCF_RESKEY_CRM_meta_timeout": "20000",
            "OCF_RESKEY_CRM_meta_on_node": "n1",
            "AWS_ENDPOINT_URL": sim,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds,
            "EIP_STATE_DIR": str(folder / "state"),
            "HA_LOGFILE": str(folder / "log"),
        }
        for name in ("eip", "eipctl", "eip-alert"):
            (folder / name).symlink_to(servers.built("eip"))

    @classmethod
    @contextlib.contextmanager
    def up(cls):
        """Yields the node, which runs as long as the block lasts."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            world = folder / "world.json"
            interface = {"private_ips": ["10.0.0.11"]}
            instance = {"id": INSTANCE, "zone": "eu-west-1a", "subnet": "10.0.0.0/24", "interfaces": [interface], "role": "node"}
            world.write_text(json.dumps({"instances": [instance]}))
            with servers.aws_sim(folder, "--world", str(world), "--imds", f"{INSTANCE}=127.0.0.1:0") as (sim, imds):
                servers.request("POST", f"{sim}/_sim/addresses", {"public_ip": ADDRESS})
                yield cls(folder, sim, imds[INSTANCE])

    def program(self, name: str, script: str) -> Path:
        """Writes a program of the node, a shell script."""
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)
        return path

    def run(self, *command: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess:
        outcome = subprocess.run(
            [self.folder / command[0], *command[1:]], env={**self.environment, **variables}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, check=False,
        )
        assert outcome.returncode == code, outcome
        return outcome

    def calls(self) -> list[dict]:
        """The requests to EC2 so far."""
        return [one for one in servers.request("GET", f"{self.sim}/_sim/log") if one["service"] == "ec2"]
