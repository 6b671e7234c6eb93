"""docs/status.md and docs/status.schema.json against the output of `eipctl status`, with the simulator as EC2 and scripts as Pacemaker's tools."""

import contextlib
import json
import os
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import markdown
import servers
import test_deploy

SCHEMA = markdown.ROOT / "docs/status.schema.json"
NODES = {"node1": ("i-00000000000000001", "10.0.1.10"), "node2": ("i-00000000000000002", "10.0.1.20")}
TABLES = ("rtb-00000000000000001", "rtb-00000000000000002")
CHECK = "import json, sys, jsonschema; jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(sys.stdin))"
# The parts that differ from run to run.
CHANGING = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", "2026-11-29 13:40:12 +0000"),
    (r"\b(eni|eipassoc|eipalloc)-(?!0000000000000000)[0-9a-f]{17}\b", r"\1-0123456789abcdef0"),
    (r"[0-9a-f:]{17} of this node", "02:00:00:00:01:01 of this node"),
    (r"\b4\d s ago", "42 s ago"),
)


def primitive(name: str, agent: str, **parameters: str) -> str:
    pairs = "".join(f'<nvpair id="{name}-{key}" name="{key}" value="{value}"/>' for key, value in parameters.items())
    attributes = f'<instance_attributes id="{name}-i">{pairs}</instance_attributes>'
    return f'<primitive id="{name}" class="ocf" provider="heartbeat" type="{agent}">{attributes}</primitive>'


def node_state(name: str, starts: list[str], reports: dict[str, str]) -> str:
    pairs = "".join(f'<nvpair id="{one}" name="eip-report-{one}" value="{report}"/>' for one, report in reports.items())
    began = int(time.time()) - 86400
    ran = "".join(
        f'<lrm_resource id="{one}"><lrm_rsc_op id="a" operation="start" interval="0" rc-code="0" last-rc-change="{began}"/></lrm_resource>'
        for one in starts
    )
    attributes = f'<transient_attributes><instance_attributes id="s">{pairs}</instance_attributes></transient_attributes>'
    return f'<node_state uname="{name}">{attributes}<lrm><lrm_resources>{ran}</lrm_resources></lrm></node_state>'


class Status(unittest.TestCase):
    """Two nodes with three addresses: the private one was moved behind the cluster's back, and node2 could take none."""

    def setUp(self):
        running = contextlib.ExitStack()
        self.addCleanup(running.close)
        self.folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        instances = [{"id": name, "subnet": "10.0.1.0/24", "interfaces": [{"private_ips": [ip]}]} for name, ip in NODES.values()]
        world = self.folder / "world.json"
        world.write_text(json.dumps({"instances": instances, "addresses": [{"public_ip": "203.0.113.10"}], "route_tables": [{"id": TABLES[0]}]}))
        here = NODES["node1"][0]
        self.ec2, imds = running.enter_context(servers.aws_sim(self.folder, "--world", str(world), "--imds", f"{here}=127.0.0.1:0"))
        self.imds = imds[here]
        self.resources = primitive("eip", "eip", elastic_ip="203.0.113.10")
        self.tool("crm_node", "node1")

    def tool(self, name: str, printed: str):
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\n")
        path.chmod(0o755)

    def run_agent(self, name: str, *arguments: str, **variables: str) -> str:
        environment = {
            "PATH": f"{self.folder / 'bin'}:{os.defpath}", "EIP_STATE_DIR": str(self.folder / "state"), "HOME": str(self.folder), "TZ": "UTC",
            "AWS_ENDPOINT_URL_EC2": self.ec2, "AWS_ENDPOINT_URL_STS": self.ec2, "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.imds, **variables,
        }
        told = subprocess.run([name, *arguments], executable=servers.built("eip"), env=environment, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual((told.returncode, told.stderr if name == "eipctl" else ""), (0, ""), told)
        return told.stdout

    def start(self, agent: str, resource: str, **parameters: str):
        named = {f"OCF_RESKEY_{name}": value for name, value in parameters.items()}
        self.run_agent(agent, "start", OCF_RESOURCE_INSTANCE=resource, OCF_RESOURCE_TYPE=agent, HA_LOGFILE=str(self.folder / "log"), **named)

    def cluster(self, resources: str, on: dict[str, str], reports: dict[str, str]):
        states = [node_state(node, [one for one in on if on[one] == node], reports if node == "node2" else {}) for node in NODES]
        configuration = f"<configuration><resources>{resources}</resources><constraints/></configuration>"
        self.tool("cibadmin", f"<cib>{configuration}<status>{''.join(states)}</status></cib>")
        shown = "".join(
            f'<resource id="{one}" resource_agent="x" role="Started" managed="true" failed="false" blocked="false"><node name="{node}"/></resource>'
            for one, node in on.items()
        )
        nodes = "".join(f'<node name="{node}" online="true"/>' for node in NODES)
        summary = '<summary><current_dc present="true" with_quorum="true"/></summary>'
        self.tool("crm_mon", f"<pacemaker-result>{summary}<nodes>{nodes}</nodes><resources>{shown}</resources></pacemaker-result>")

    def stage(self):
        """The screen that docs/status.md shows."""
        private = {"secondary_private_ip": "10.0.1.100", "add_to_device": "false"}
        at = int(time.time()) - 42
        self.start("eip", "eip", elastic_ip="203.0.113.10")
        self.start("vip", "vip", **private)
        self.cluster(
            primitive("eip", "eip", elastic_ip="203.0.113.10") + primitive("vip", "vip", **private),
            {"eip": "node1", "vip": "node2"},
            {
                "eip": f"at={at} ready=false here=no reason=permission to take: AssociateAddress eipalloc-0123456789abcdef0: UnauthorizedOperation",
                "vip": f"at={at} ready=true here=no reason=",
            },
        )

    def valid(self, document: str) -> dict:
        """The document, after validation by the schema."""
        command = [test_deploy.tools() / "python", "-c", CHECK, SCHEMA]
        checked = subprocess.run(command, input=document, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(checked.returncode, 0, checked.stderr[-2000:])
        return json.loads(document)

    def test_the_screen_in_the_document_is_what_the_program_prints(self):
        self.stage()
        screen = self.run_agent("eipctl", "status")
        for pattern, instead in CHANGING:
            screen = re.sub(pattern, instead, screen)
        screen = re.sub(r"\d+ ms \(by", "61 ms (by", screen)
        document = (markdown.ROOT / "docs/status.md").read_text()
        block = "\n".join(f"    {line}".rstrip() for line in ["# eipctl status", *screen.splitlines()])
        self.assertIn(block, document, f"the screen has changed:\n{block}")

    def test_what_it_prints_fits_the_schema(self):
        self.stage()
        document = self.valid(self.run_agent("eipctl", "status", "--json"))
        eip, vip = document["addresses"]
        self.assertEqual((eip["disagreements"], len(vip["disagreements"])), ([], 3))
        self.assertEqual([one["ready"] for one in eip["nodes"]], ["yes", "no"])
        self.assertEqual((eip["cluster"]["nodes"], eip["ec2"]["answer"], vip["last_move"]["action"]), (["node1"], "ours", "start"))

    def test_it_fits_also_with_nothing_but_a_record(self):
        self.start("eip", "eip", elastic_ip="203.0.113.10")
        for tool in ("cibadmin", "crm_mon", "crm_node"):
            self.tool(tool, "not a cluster")
        document = self.valid(self.run_agent("eipctl", "status", "--json", "--timeout", "5", "--endpoint-url", "http://127.0.0.1:9"))
        self.assertEqual((document["listed_by"], document["cluster"], document["addresses"][0]["ec2"]["answer"]), ("records", None, "unknown"))
        self.assertGreater(len(document["unseen"]), 2)

    def test_the_schema_describes_every_field(self):
        schema = json.loads(SCHEMA.read_text())
        source = (markdown.ROOT / "src/face/ctl/status/view.rs").read_text().partition("#[cfg(test)]")[0]
        fields = set(re.findall(r"(?<!#\[serde\(skip\)\]\n)^    pub (\w+):", source, re.MULTILINE)) - {"is_left", "is_settled", "is_outdated"}
        self.assertGreater(len(fields), 20)

        def named(part: object) -> set[str]:
            if isinstance(part, list):
                return set().union(*map(named, part))
            if not isinstance(part, dict):
                return set()
            return set(part.get("properties", {})) | set().union(set(), *map(named, part.values()))

        self.assertEqual(named(schema), fields)


if __name__ == "__main__":
    unittest.main()
