"""The output of `eipctl metrics`, the alert rules and the dashboard, in a real promtool and a real Prometheus.

One simulated node holds an address and has failed once; a stand-in for `cibadmin` prints what a cluster would. Prometheus scrapes the
file on loopback, as it would scrape node_exporter.
"""

import contextlib
import http.server
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

import servers
from simulated import ADDRESS, SimulatedNode

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs/monitoring/eip-alerts.yml"
DASHBOARD = ROOT / "docs/monitoring/eip-dashboard.json"
RULE_TESTS = ROOT / "tests/monitoring/eip-alerts.test.yml"
LIMIT = 20.0
# The metrics, as docs/monitoring.md describes them.
METRICS = {
    "eip_build_info", "eip_address_held", "eip_last_check_timestamp_seconds", "eip_ready", "eip_ready_report_timestamp_seconds",
    "eip_moves_total", "eip_failures_total", "eip_metadata_disagreements_total", "eip_last_takeover_timestamp_seconds",
    "eip_last_takeover_seconds",
}
REPORTED = int(time.time())
CIB = f"""<cib><configuration><resources><primitive id="eip" class="ocf" provider="heartbeat" type="eip">
<instance_attributes id="i"><nvpair id="i1" name="elastic_ip" value="{ADDRESS}"/></instance_attributes></primitive></resources><constraints/>
</configuration><status><node_state id="1" uname="n1"><transient_attributes id="1"><instance_attributes id="s">
<nvpair id="s1" name="eip-report-eip" value="at={REPORTED} ready=true here=yes reason=allowed"/>
</instance_attributes></transient_attributes></node_state></status></cib>"""


def promtool(*arguments: str, text: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, timeout=LIMIT, check=False)


def expressions(board: dict) -> list[str]:
    """Each expression of the dashboard as Prometheus gets it, with the variables filled in as in Grafana."""
    found = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    found += [one["expr"] for one in board["annotations"]["list"]]
    return [expression.replace("$resource", ".*") for expression in found]


@unittest.skipUnless(os.environ.get("CI") == "true" or shutil.which("promtool"), "no promtool: Debian package prometheus")
class Rules(unittest.TestCase):
    def test_prometheus_accepts_the_rules(self):
        outcome = promtool("check", "rules", str(RULES))
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        self.assertIn("4 rules found", outcome.stdout)

    def test_each_rule_fires_when_it_should_and_not_otherwise(self):
        names = re.findall(r"- alert: (\w+)", RULES.read_text())
        tests = RULE_TESTS.read_text()
        for name in names:
            self.assertRegex(tests, rf"alertname: {name}, exp_alerts: \[\]")
            self.assertRegex(tests, rf"alertname: {name}\n +exp_alerts:\n")
        outcome = promtool("test", "rules", str(RULE_TESTS))
        self.assertEqual(outcome.returncode, 0, outcome.stdout + outcome.stderr)


@unittest.skipUnless(os.environ.get("CI") == "true" or shutil.which("prometheus"), "no prometheus: Debian package prometheus")
class Metrics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        running = contextlib.ExitStack()
        cls.addClassCleanup(running.close)
        cls.node = running.enter_context(SimulatedNode.up())
        cls.folder = cls.node.folder
        for name, text in (("cibadmin", CIB), ("crm_node", "n1")):
            cls.node.program(name, f"cat <<'END'\n{text}\nEND\n")
        slow = {"service": "ec2", "operation": "AssociateAddress", "kind": {"delay_ms": 20}}
        servers.request("POST", f"{cls.node.sim}/_sim/fault", slow)
        cls.node.run("eip", "start")
        cls.node.run("eip", "start", code=6, OCF_RESKEY_elastic_ip="nonsense")
        cls.page = cls.written()

    @classmethod
    def written(cls) -> str:
        """The file that the timer's unit would write."""
        path = cls.folder / "eip.prom"
        cls.node.run("eipctl", "metrics", "--output", str(path))
        assert [one.name for one in cls.folder.glob("eip.prom*")] == ["eip.prom"]
        assert path.stat().st_mode & 0o777 == 0o644
        return path.read_text()

    def value(self, metric: str, **labels: str) -> float:
        for line in self.page.splitlines():
            name, _, rest = line.partition("{")
            if name == metric and all(f'{key}="{value}"' in rest for key, value in labels.items()):
                return float(rest.rpartition(" ")[2])
        raise AssertionError(f"no {metric} {labels} in:\n{self.page}")

    def test_promtool_finds_nothing_to_complain_about(self):
        outcome = promtool("check", "metrics", text=self.page)
        self.assertEqual((outcome.returncode, outcome.stdout, outcome.stderr), (0, "", ""))

    # [metrics-3]
    def test_everything_that_happened_is_a_metric(self):
        self.assertEqual(set(re.findall(r"^# TYPE (\S+)", self.page, re.MULTILINE)), METRICS)
        self.assertEqual(self.value("eip_address_held", resource="eip", address=ADDRESS, agent="eip"), 1)
        self.assertEqual(self.value("eip_moves_total", reason="start"), 1)
        self.assertEqual(self.value("eip_failures_total", action="start", reason="cluster"), 1)
        self.assertEqual(self.value("eip_failures_total", action="start", reason="access"), 0)
        self.assertEqual((self.value("eip_ready"), self.value("eip_ready_report_timestamp_seconds")), (1, REPORTED))
        self.assertAlmostEqual(self.value("eip_last_check_timestamp_seconds"), time.time(), delta=120)
        self.assertGreaterEqual(self.value("eip_last_takeover_seconds", phase="associate"), 0.02)

    # [metrics-2]
    def test_a_node_that_no_longer_reports_does_not_count_as_ready(self):
        old = REPORTED - 3600
        with SimulatedNode.up() as node:
            for name, text in (("cibadmin", CIB.replace(f"at={REPORTED}", f"at={old}")), ("crm_node", "n1")):
                node.program(name, f"cat <<'END'\n{text}\nEND\n")
            page = node.run("eipctl", "metrics").stdout
        self.assertNotIn("eip_ready{", page)
        self.assertRegex(page, rf"\neip_ready_report_timestamp_seconds{{[^}}]*}} {old}\n")

    # [metrics-1]
    def test_no_ec2_call_is_made_for_it(self):
        before = len(self.node.calls())
        self.written()
        self.assertEqual(len(self.node.calls()), before)

    def test_without_a_cluster_the_addresses_on_record_are_shown(self):
        outcome = self.node.run("eipctl", "metrics", PATH="/usr/sbin:/usr/bin:/sbin:/bin", CIB_file="/nonexistent")
        self.assertIn(f'eip_address_held{{resource="eip",address="{ADDRESS}",agent="eip"}} 1\n', outcome.stdout)
        self.assertNotIn("eip_ready{", outcome.stdout)

    # [metrics-4] Two names of one address, or a record of a release by hand, would be an address without a node.
    def test_a_node_with_the_cluster_down_raises_no_alarm_about_an_address_that_is_held(self):
        with SimulatedNode.up() as node:
            node.run("eip", "start")
            allocation = json.loads((node.folder / "state/durable/eip.json").read_text())["pair"]["allocation"]
            cib = CIB.replace(f'name="elastic_ip" value="{ADDRESS}"', f'name="allocation_id" value="{allocation}"')
            self.assertIn(allocation, cib)
            node.program("cibadmin", f"[ -n \"$UP$CIB_file\" ] || exit 1\ncat <<'END'\n{cib}\nEND\n")

            def held(**variables: str) -> list[str]:
                page = node.run("eipctl", "metrics", **variables).stdout
                return [line for line in page.splitlines() if line.startswith("eip_address_held{")]

            labels = f'{{resource="eip",address="{ADDRESS}",agent="eip"}}'
            self.assertEqual((held(UP="1"), held()), ([f"eip_address_held{labels} 1"],) * 2)
            node.run("eipctl", "release", ADDRESS, "--force")
            self.assertTrue((node.folder / f"state/durable/eipctl-{ADDRESS}.json").exists())
            self.assertEqual(held(), [f"eip_address_held{labels} 0"])
            node.program("cibadmin", "exit 1\n")
            self.assertEqual(held(), [f"eip_address_held{labels} 0"])

    def test_a_file_that_cannot_be_written_is_one_line(self):
        outcome = self.node.run("eipctl", "metrics", "--output", str(self.folder / "no/eip.prom"), code=1)
        self.assertRegex(outcome.stderr, r"^eipctl: .*/no/eip\.prom: No such file or directory.*\n$")

    def test_prometheus_takes_the_file_the_rules_and_every_expression_of_the_dashboard(self):
        page = self.page.encode()

        class Exporter(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        with contextlib.ExitStack() as running:
            exporter = running.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Exporter))
            threading.Thread(target=exporter.serve_forever, daemon=True).start()
            running.callback(exporter.shutdown)
            configuration = self.folder / "prometheus.yml"
            target = f"127.0.0.1:{exporter.server_port}"
            configuration.write_text(
                "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
                f"rule_files: [{RULES}]\n"
                f"scrape_configs: [{{job_name: node, static_configs: [{{targets: ['{target}']}}]}}]\n"
            )
            port = servers.free_port()
            command = [
                "prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={self.folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
            ]
            log = self.folder / "prometheus.log"
            running.enter_context(servers.process(command, log, stdout=subprocess.DEVNULL))

            def ask(path: str, **query: str) -> dict:
                url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
                with urllib.request.urlopen(url, timeout=LIMIT) as answer:
                    return json.load(answer)

            end = time.monotonic() + LIMIT
            held = []
            while not held:
                with contextlib.suppress(OSError):
                    held = ask("query", query="eip_address_held == 1")["data"]["result"]
                self.assertLess(time.monotonic(), end, log.read_text(errors="replace"))
                time.sleep(0.1)
            self.assertEqual(held[0]["metric"]["resource"], "eip")
            rules = ask("rules")["data"]["groups"][0]["rules"]
            self.assertEqual(len(rules), 4)
            board = json.loads(DASHBOARD.read_text())
            asked = expressions(board)
            self.assertGreaterEqual(len(asked), len(board["panels"]))
            for expression in asked:
                with self.subTest(expression=expression):
                    self.assertEqual(ask("query", query=expression)["status"], "success")
            # None of its metrics is misspelled: all are in the file.
            for name in re.findall(r"eip_\w+", " ".join(asked)):
                self.assertIn(name, METRICS)
            now = [one for one in asked if "[" not in one and ">" not in one]
            for expression in now:
                self.assertTrue(ask("query", query=expression)["data"]["result"], expression)


if __name__ == "__main__":
    unittest.main()
