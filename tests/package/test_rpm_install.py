"""The RPMs really installed, into scratch roots beside stand-ins for a distribution's packages: by rpm and by dnf, then used, replaced, erased."""

import contextlib
import functools
import os
import shutil
import signal
import tempfile
import time
import unittest
from pathlib import Path

import rpms
from machine import AGENT, built, listed, needs, run, version
from node import Node
from roots import Root
from rpms import PARTS, eip

NOBODY = 65534
NEEDED = ("glibc", "bash")
# The scriptlets may make systemctl reload its files and enable what starts at the next boot, but not start or stop anything now except the timer.
ERASURE = {"systemctl --no-reload disable eip-restore.service eip-metrics.timer", "systemctl stop eip-metrics.timer"}
HARMLESS = ERASURE | {
    "systemctl daemon-reload",
    "systemctl --no-reload preset eip-restore.service",
    "systemd-tmpfiles --create eip.conf",
}


@needs("rpm", "rpmbuild", "dnf", "createrepo_c", "chroot", root=True)
class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        running = contextlib.ExitStack()
        cls.addClassCleanup(running.close)
        cls.folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="eip-roots.")))
        cls.repository = cls.folder / "repository"
        cls.repository.mkdir()
        cls.others = rpms.distribution(cls.repository, built("eip"))
        cls.old = {part: Path(shutil.copy(eip(part), cls.repository)) for part in PARTS}
        # It works the same, but is another file.
        newer = cls.folder / "eip"
        newer.write_bytes(built("eip").read_bytes() + b"newer")
        newer.chmod(0o755)
        cls.new = rpms.eip_release(newer, 2, cls.repository)
        run("createrepo_c", "--quiet", cls.repository)
        cls.roots = 0

    def root(self, *stand_ins: str) -> Root:
        """A root in which some of the stand-ins are installed."""
        type(self).roots += 1
        root = Root(self.folder / f"root-{self.roots}")
        self.addCleanup(shutil.rmtree, root.path)
        root.rpm("--install", *(self.others[name] for name in (*NEEDED, *stand_ins)))
        return root

    def assert_installed(self, root: Root, *parts: str):
        for part in parts:
            self.assertEqual("", root.rpm("--verify", part).stdout)
            for line in listed(part):
                matching = [line.path, f"{line.path}.gz"]
                self.assertTrue(any(os.path.lexists(root.at(path)) for path in matching), line.path)
                if line.kind == "link":
                    self.assertEqual(AGENT, root.leads_to(line.path))
        # Pacemaker offers every other file there as an agent.
        self.assertEqual([], list(root.at(AGENT).parent.glob("*eip*.*")))

    def assert_harmless(self, root: Root):
        asked = root.asked()
        self.assertIn("systemctl daemon-reload", asked)
        self.assertEqual(set(), set(asked) - HARMLESS)

    # Installing.

    def test_rpm_installs_without_pacemaker_and_resource_agents(self):
        root = self.root("systemd")
        root.rpm("--install", self.old["eip"])
        self.assert_installed(root, "eip")
        self.assert_harmless(root)
        self.assertEqual(0o711, root.at("/var/lib/eip").stat().st_mode & 0o7777)

    def test_rpm_installs_beside_resource_agents_in_either_order(self):
        root = self.root("systemd", "pacemaker", "resource-agents")
        root.rpm("--install", *self.old.values())
        self.assert_installed(root, *PARTS)
        self.assertEqual("", root.rpm("--verify", "resource-agents").stdout)
        root.rpm("--erase", "resource-agents")
        self.assert_installed(root, *PARTS)
        root.rpm("--install", self.others["resource-agents"])
        root.rpm("--erase", *PARTS)
        self.assertEqual("", root.rpm("--verify", "resource-agents").stdout)

    def test_another_package_with_our_path_is_refused(self):
        root = self.root()
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            rival = rpms.stub("rival", Path(folder), {AGENT: "#!/bin/sh\n"})
            root.rpm("--install", rival)
        done = root.rpm("--install", self.old["eip"], ok=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("conflicts with file from package rival", done.stderr)

    def test_rpm_refuses_what_lacks_the_main_package(self):
        root = self.root()
        done = root.rpm("--install", self.old["eip-heartbeat"], ok=False)
        self.assertIn(f"eip = {version()}-1 is needed by eip-heartbeat", done.stderr)

    def test_rpm_installs_without_systemd(self):
        root = self.root()
        for command in (("--install", self.old["eip"]), ("--erase", "eip")):
            # Debian's rpm prints each time that it is not dpkg.
            said = [line for line in root.rpm(*command).stderr.splitlines() if not line.startswith("rpm: ")]
            self.assertEqual([], said)

    def test_dnf_installs_from_a_repository_with_what_is_needed(self):
        root = Root(self.folder / "root-dnf")
        self.addCleanup(shutil.rmtree, root.path)
        names = [f"{part}-{version()}-1" for part in PARTS]
        dnf = functools.partial(root.dnf, f"--repofrompath=eip,file://{self.repository}", "--repo=eip", gpgcheck="0")
        dnf("install", *names)
        self.assert_installed(root, *PARTS)
        installed = set(root.rpm("--query", "--all", "--qf", "%{NAME}\n").stdout.split())
        self.assertEqual({*PARTS, *NEEDED}, installed)
        dnf("upgrade")
        self.assertEqual("2", root.rpm("--query", "--qf", "%{RELEASE}", "eip").stdout)
        self.assert_installed(root, *PARTS)
        dnf("downgrade", *names)
        self.assertEqual("1", root.rpm("--query", "--qf", "%{RELEASE}", "eip").stdout)
        self.assert_installed(root, *PARTS)
        dnf("remove", "--noautoremove", *PARTS)
        self.assertFalse(root.at("/usr/lib/ocf").exists())

    # Using the installed files.

    def test_meta_data_as_nobody(self):
        root = self.root()
        root.rpm("--install", self.old["eip"])
        done = root.inside(AGENT, "meta-data", user=NOBODY)
        self.assertTrue(done.stdout.startswith("<?xml"), done.stdout[:200])
        self.assertIn('<resource-agent name="eip"', done.stdout)
        self.assertEqual("", done.stderr)

    def test_every_name_of_the_agent_runs(self):
        root = self.root()
        root.rpm("--install", *self.old.values())
        for line in (line for part in PARTS for line in listed(part) if line.kind == "link"):
            with self.subTest(line.path):
                done = root.inside(line.path, "--help", ok=False)
                # 126 and 127 come from chroot, for a program that cannot be run.
                self.assertLess(done.returncode, 126, done.stderr)

    def test_certificates_are_found_where_each_distribution_has_them(self):
        root = self.root()
        root.rpm("--install", self.old["eip"])
        there = root.in_cloud(self)
        there.environment["OCF_RESKEY_endpoint_url"] = there.tls
        places = {
            "CentOS 7, RHEL, Amazon Linux": "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            "their older name of it": "/etc/pki/tls/certs/ca-bundle.crt",
            "SLES": "/etc/ssl/ca-bundle.pem",
            "Debian": "/etc/ssl/certs/ca-certificates.crt",
        }
        for name, path in places.items():
            with self.subTest(name):
                root.at(path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(there.ca, root.at(path))
                self.assertEqual(0, there.run("start").code)
                self.assertEqual(0, there.run("stop").code)
                root.at(path).unlink()
        answer = there.run("start", OCF_RESKEY_CRM_meta_timeout="4000")
        self.assertEqual(1, answer.code, answer.stderr)
        self.assertIn("certificate", answer.stderr)

    # Replacing it under a running resource.

    def running(self, root: Root) -> Node:
        """A started resource, and its records."""
        there = root.in_cloud(self)
        answer = there.run("start")
        self.assertEqual(0, answer.code, answer.stderr)
        self.assertTrue(root.at("/var/lib/eip").is_dir() and list(root.at("/var/lib/eip").rglob("*")), "the agent left no state")
        self.state = root.state()
        there.calls()
        return there

    def halfway(self, there: Node):
        """A monitor that has begun and does not end, however long something else takes."""
        there.metadata("hang")
        there.calls()
        times = {"OCF_RESKEY_CRM_meta_interval": "10000", "OCF_RESKEY_CRM_meta_timeout": "600000", "OCF_RESKEY_settle_window": "0"}
        monitor = there.begin("monitor", **times)
        self.addCleanup(lambda: (monitor.kill(), monitor.communicate()) if monitor.returncode is None else None)
        limit = time.monotonic() + 60
        while not there.calls("imds"):
            self.assertIsNone(monitor.poll(), "the monitor is over already")
            self.assertLess(time.monotonic(), limit, "the monitor did not ask the metadata service")
            time.sleep(0.02)
        os.kill(monitor.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, monitor.pid, os.WSTOPPED)
        there.metadata("on")
        there.calls()
        return monitor

    def change_under_it(self, root: Root, there: Node, *command: object):
        """Runs rpm while a monitor of the old binary is in progress; neither that nor the address may be affected."""
        monitor = self.halfway(there)
        root.rpm(*command)
        self.assertIn("(deleted)", os.readlink(f"/proc/{monitor.pid}/exe"))
        self.assertEqual(self.state, root.state())
        self.assert_harmless(root)
        self.assertTrue(there.holds())
        os.kill(monitor.pid, signal.SIGCONT)
        _, stderr = monitor.communicate(timeout=60)
        self.assertEqual(0, monitor.returncode, stderr)
        self.assertNotIn("AssociateAddress", there.calls())

    def test_upgrade_downgrade_and_erasure_leave_a_running_resource_alone(self):
        root = self.root("systemd", "pacemaker", "resource-agents")
        before = root.files()
        root.rpm("--install", *self.old.values())
        there = self.running(root)
        root.asked()

        self.change_under_it(root, there, "--upgrade", *self.new.values())
        self.assert_installed(root, *PARTS)
        self.assertTrue(root.at(AGENT).read_bytes().endswith(b"newer"))
        self.assertEqual(0, there.monitor().code)

        self.state = root.state()
        self.change_under_it(root, there, "--upgrade", "--oldpackage", *self.old.values())
        self.assert_installed(root, *PARTS)
        self.assertFalse(root.at(AGENT).read_bytes().endswith(b"newer"))
        self.assertEqual(0, there.monitor().code)

        self.state = root.state()
        self.change_under_it(root, there, "--erase", *PARTS)
        self.assertEqual(before | set(self.state) | {"/var/lib/eip", "/run/resource-agents/eip"}, root.files())

        # Installed again, it finds the address and its records.
        root.rpm("--install", self.old["eip"])
        self.assertEqual(0, there.monitor().code)
        self.assertEqual(0, there.run("stop").code)
        self.assertFalse(there.holds())

    def test_an_empty_state_folder_goes_with_the_package(self):
        root = self.root("systemd")
        root.rpm("--install", self.old["eip"])
        root.rpm("--erase", "eip")
        self.assertFalse(root.at("/var/lib/eip").exists())
        self.assert_harmless(root)

    def test_a_changed_configuration_is_kept(self):
        root = self.root()
        root.rpm("--install", *self.old.values())
        files = [line.path for part in PARTS for line in listed(part) if line.kind == "config"]
        for path in files:
            with root.at(path).open("a") as configuration:
                configuration.write("# changed by its owner\n")
        root.rpm("--upgrade", *self.new.values())
        for path in files:
            self.assertIn("# changed by its owner\n", root.at(path).read_text())
        root.rpm("--erase", *PARTS)
        for path in files:
            self.assertIn("# changed by its owner\n", root.at(f"{path}.rpmsave").read_text())


if __name__ == "__main__":
    unittest.main()
