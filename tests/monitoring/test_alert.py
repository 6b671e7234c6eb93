"""`eip-alert` as Pacemaker calls it, after moves of a simulated node, with a real HTTP receiver and a real command."""

import contextlib
import http.server
import json
import os
import ssl
import subprocess
import threading
import time
import unittest
from pathlib import Path

import servers
from simulated import ADDRESS, SimulatedNode

STARTED = {
    "CRM_alert_kind": "resource", "CRM_alert_rsc": "eip", "CRM_alert_node": "n1", "CRM_alert_task": "start", "CRM_alert_rc": "0",
    "CRM_alert_desc": "ok",
}


# For a server certificate that is its own issuer, without being a CA.
CERTIFICATE = """[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = webhook
[extensions]
subjectAltName = IP:127.0.0.1
basicConstraints = critical, CA:FALSE
"""


@contextlib.contextmanager
def receiver(*statuses: int, pause: float = 0.0, certificate: Path | None = None):
    """A webhook that answers with these statuses, then with the last one; yields its URL and its requests. With a certificate it uses HTTPS."""
    got, left = [], list(statuses)

    class Webhook(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.headers["Content-Type"], json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            time.sleep(pause)
            status = left.pop(0) if len(left) > 1 else left[0]
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}/hook/secret", got
        finally:
            server.shutdown()


@unittest.skipUnless(os.environ.get("CI") == "true" or os.geteuid() == 0, "the history is shared by root alone")
class Alert(unittest.TestCase):
    def setUp(self):
        running = contextlib.ExitStack()
        self.addCleanup(running.close)
        self.node = running.enter_context(SimulatedNode.up())
        self.node.run("eip", "start")
        if not (self.node.folder / "state/durable/history").exists():
            self.skipTest("no group haclient on this machine")

    def alert(self, recipient: str, code: int = 0, **variables: str):
        return self.node.run("eip-alert", code=code, **{**STARTED, "CRM_alert_recipient": recipient, **variables})

    def log(self) -> str:
        return (self.node.folder / "log").read_text()

    # [alert-2] [alert-3]
    def test_a_move_is_announced_to_a_webhook_once(self):
        with receiver(200) as (url, got):
            self.alert(url, CRM_alert_node="n2")
            self.alert(url, CRM_alert_task="monitor", CRM_alert_rc="7")
            self.alert(url, CRM_alert_task="stop")
            self.alert(url, CRM_alert_rsc="other")
            self.assertEqual(got, [])
            self.alert(url)
            self.alert(url)
            # A start that finds the address here moves nothing.
            self.node.run("eip", "start")
            self.alert(url)
            self.assertEqual(len(got), 1)
            path, kind, document = got[0]
            self.assertEqual((path, kind), ("/hook/secret", "application/json"))
            expected = {"resource": "eip", "address": ADDRESS, "node": "n1", "from": "unassigned", "reason": "start", "action": "start"}
            self.assertEqual(document | expected, document)
            self.assertEqual([one["phase"] for one in document["phases"]], ["looking", "associate", "confirm"])
            self.assertRegex(document["text"], rf"^{ADDRESS} \(eip\) moved from unassigned to .* on n1: start; .* outage at least \d+ ms$")
            self.node.run("eip", "stop")
            self.node.run("eip", "start")
            self.alert(url)
            self.assertEqual(len(got), 2)

    def moved_from_another_node(self, *events: str) -> dict:
        """The announcement after another node took the address, the cluster reported these events about it, and this node started."""
        interface = {"private_ips": ["10.0.1.11"]}
        instance = {"id": "i-0000000000000000b", "zone": "eu-west-1b", "subnet": "10.0.1.0/24", "interfaces": [interface]}
        other = servers.request("POST", f"{self.node.sim}/_sim/instances", instance)
        (address,) = servers.request("GET", f"{self.node.sim}/_sim/state")["addresses"]
        pair = {"allocation_id": address["allocation_id"], "eni": other["interfaces"][0]["eni"]}
        servers.request("POST", f"{self.node.sim}/_sim/associate", pair)
        # The time of the event has to be after this node's last change.
        time.sleep(1)
        for event in events:
            self.alert("", CRM_alert_kind="node", CRM_alert_node="n2", CRM_alert_desc=event, CRM_alert_timestamp_epoch=str(int(time.time())))
        self.node.run("eip", "start")
        with receiver(200) as (url, got):
            self.alert(url)
        return got[0][2]

    # [alert-4]
    def test_the_loss_of_a_node_dates_the_outage(self):
        document = self.moved_from_another_node("lost")
        self.assertEqual((document["reason"], document["outage"]), ("n2 was lost", "about"))
        self.assertLess(document["outage_ms"], 10_000)

    # [alert-4]
    def test_the_loss_of_a_node_that_is_back_is_not_blamed_for_a_later_move(self):
        document = self.moved_from_another_node("lost", "member")
        self.assertEqual((document["reason"], document["outage"]), ("start", "at least"))

    # [alert-5]
    def test_a_webhook_that_is_overloaded_is_tried_again_and_one_that_refuses_is_not(self):
        with receiver(503, 429, 204) as (url, got):
            self.alert(url)
            self.assertEqual(len(got), 3)
        self.node.run("eip", "stop")
        self.node.run("eip", "start")
        with receiver(404) as (url, got):
            self.alert(url, code=1)
            self.assertEqual(len(got), 1)
        self.assertIn("move not announced: 127.0.0.1: HTTP 404", self.log())
        self.assertNotIn("secret", self.log())

    # [alert-5]
    def test_a_webhook_that_hangs_or_is_not_there_ends_in_time(self):
        began = time.monotonic()
        with receiver(200, pause=8) as (url, _):
            self.alert(url, code=1, eip_alert_timeout="4")
        self.assertLess(time.monotonic() - began, 9)
        self.node.run("eip", "stop")
        self.node.run("eip", "start")
        self.alert("http://127.0.0.1:9/", code=1, eip_alert_timeout="2")
        self.assertIn("move not announced: 127.0.0.1: ", self.log())

    # [cred-5] A trace begins with the environment; Pacemaker sets the recipient under two names.
    def test_the_path_of_a_webhook_is_not_in_the_trace(self):
        trace = self.node.folder / "trace/alert"
        trace.parent.mkdir()
        with receiver(404) as (url, got):
            url = url.replace("://", "://user:password@")
            self.alert(url, code=1, CRM_notify_recipient=url, OCF_TRACE_RA="1", OCF_TRACE_FILE=str(trace))
            self.assertEqual(len(got), 1)
        for text in (trace.read_text(), self.log()):
            self.assertIn("move not announced: 127.0.0.1: HTTP 404", text)
            self.assertNotIn("secret", text)
            self.assertNotIn("password", text)

    def test_a_webhook_is_reached_through_the_proxy_of_the_environment(self):
        with receiver(200) as (proxy, got):
            self.alert("http://hooks.example.com/hook", HTTP_PROXY=proxy.removesuffix("/hook/secret"))
        self.assertEqual([path for path, _, _ in got], ["http://hooks.example.com/hook"])

    # [cred-3]
    def test_the_certificate_of_a_webhook_is_verified(self):
        configuration, certificate = self.node.folder / "openssl.cnf", self.node.folder / "webhook.pem"
        configuration.write_text(CERTIFICATE)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config", configuration,
             "-keyout", certificate, "-out", self.node.folder / "ca.pem"],
            check=True, capture_output=True, timeout=60,
        )
        authority = (self.node.folder / "ca.pem").read_text()
        certificate.write_text(certificate.read_text() + authority)
        with receiver(200, certificate=certificate) as (url, got):
            self.alert(url, code=1, eip_alert_timeout="2")
            self.assertEqual(got, [])
            self.node.run("eip", "stop")
            self.node.run("eip", "start")
            self.alert(url, ca_bundle=str(self.node.folder / "ca.pem"))
            self.assertEqual(len(got), 1)

    def test_a_command_gets_the_line_and_the_fields(self):
        note = self.node.program("note", f'echo "$EIP_ALERT_ADDRESS $EIP_ALERT_PHASES: $1" >>{self.node.folder}/noted\n')
        self.alert(f"command={note}")
        self.alert(f"command={note}")
        noted = (self.node.folder / "noted").read_text()
        self.assertRegex(noted, rf"^{ADDRESS} looking=\d+ associate=\d+ confirm=\d+: {ADDRESS} \(eip\) moved .*\n$")

    # [alert-5]
    def test_a_timeout_that_is_no_number_from_1_to_3600_counts_as_20(self):
        for number, wrong in enumerate(("18446744073709551615", "3601", "0", "soon")):
            recipient = f"command={self.node.program(f'note{number}', 'exit 0')}"
            self.alert(recipient, eip_alert_timeout=wrong)
            self.assertIn(f"eip_alert_timeout={wrong}: expected a whole number of seconds from 1 to 3600; using 20", self.log())
        self.assertNotIn("internal error", self.log())

    # [alert-5]
    def test_a_command_that_fails_or_hangs_is_reported_in_one_line(self):
        self.alert(f"command={self.node.program('fails', 'exit 3')}", code=1)
        began = time.monotonic()
        started = self.node.folder / "started"
        hangs = self.node.program("hangs", f"sleep 60 & echo $! >{started}; wait")
        self.alert(f"command={hangs}", code=1, eip_alert_timeout="3")
        self.assertLess(time.monotonic() - began, 10)
        # What it started does not outlive it.
        left = Path("/proc", started.read_text().strip(), "stat")
        with contextlib.suppress(FileNotFoundError):
            self.assertIn(") Z ", left.read_text())
        self.alert("command=/nonexistent", code=1)
        lines = [line for line in self.log().splitlines() if "not announced" in line]
        for line, part in zip(lines, ["fails failed", "hangs: no answer within 2 s", "/nonexistent: No such file"], strict=True):
            self.assertIn(part, line)

    def test_syslog_gets_a_line_and_each_recipient_its_own(self):
        for recipient in ("", "syslog"):
            self.alert(recipient)
            self.alert(recipient)
        self.assertEqual(self.log().count(f"{ADDRESS} (eip) moved from unassigned to "), 2)

    def test_what_is_wrong_is_reported_in_one_line(self):
        self.assertRegex(self.node.run("eip-alert", code=1).stderr, r"^eip-alert: no CRM_alert_kind: this program is run by Pacemaker.*\n$")
        said = self.alert("ftp://example.com/secret", code=1).stderr
        self.assertEqual(said, "eip-alert: recipient not understood: syslog, command=/PATH or an http or https URL expected\n")


if __name__ == "__main__":
    unittest.main()
