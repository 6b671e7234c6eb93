"""`make install` and what it installs beside the agent: the unit, the tmpfiles entry, the paths that packagers choose."""

import os
import re
import stat
import subprocess
import unittest
from pathlib import Path

from machine import AGENT, SOURCES, built, dead_links, folder, listed, needs, run

PARTS = ("eip", "eip-heartbeat", "eip-keepalived")
UNIT = SOURCES / "packaging/eip-restore.service"
UNITS = [UNIT, *sorted((SOURCES / "packaging").glob("eip-metrics.*"))]
# The keys that systemd 219 reads in a unit like this one; it warns of any other at every reload.
KNOWN_TO_CENTOS_7 = {
    "Description", "Documentation", "ConditionDirectoryNotEmpty", "Wants", "After", "Before",
    "Type", "RemainAfterExit", "ExecStart", "TimeoutStartSec", "Environment", "EnvironmentFile",
    "CapabilityBoundingSet", "NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectHome", "ProtectSystem",
    "RestrictAddressFamilies", "SystemCallArchitectures", "OnBootSec", "OnUnitActiveSec", "AccuracySec", "WantedBy",
}  # fmt: skip


def install(*words: str, ok: bool = True, **places: object) -> subprocess.CompletedProcess:
    return run("sh", "packaging/install", *words, environment={name: str(place) for name, place in places.items()}, cwd=SOURCES, ok=ok)


class Install(unittest.TestCase):
    def test_below_destdir_is_what_is_listed_and_nothing_else(self):
        with folder() as root:
            install("install", str(built("eip")), DESTDIR=root)
            lines = [line for part in PARTS for line in listed(part, DEFAULTSDIR="/etc/default")]
            found = {f"/{path.relative_to(root)}" for path in root.rglob("*") if path.is_symlink() or not path.is_dir()}
            self.assertEqual({line.path for line in lines if line.kind != "dir"}, found)
            for line in lines:
                path = root / line.path.lstrip("/")
                if line.kind == "link":
                    self.assertFalse(os.path.isabs(os.readlink(path)), line.path)
                    self.assertEqual((root / AGENT.lstrip("/")).resolve(), path.resolve())
                else:
                    self.assertEqual(int(line.mode, 8), stat.S_IMODE(path.stat().st_mode), line.path)
            self.assertEqual(built("eip").read_bytes(), (root / AGENT.lstrip("/")).read_bytes())

    def test_uninstall_leaves_folders_that_are_not_ours(self):
        with folder() as root:
            install("install", str(built("eip")), DESTDIR=root, DEFAULTSDIR="/etc/default")
            (root / "usr/share/doc/eip/of-somebody-else").touch()
            install("uninstall", DESTDIR=root)
            left = {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}
            # Files that their owner may have changed stay.
            kept = {line.path.lstrip("/") for part in PARTS for line in listed(part, DEFAULTSDIR="/etc/default") if line.kind == "config"}
            self.assertEqual({"usr/share/doc/eip/of-somebody-else"} | kept, left)
            self.assertFalse((root / "var/lib/eip").exists())
            self.assertTrue((root / "usr/lib/ocf/resource.d/heartbeat").is_dir())

    def test_what_the_agent_remembers_outlives_uninstall(self):
        with folder() as root:
            install("install", str(built("eip")), DESTDIR=root)
            (root / "var/lib/eip/address.json").touch()
            install("uninstall", DESTDIR=root)
            self.assertTrue((root / "var/lib/eip/address.json").exists())

    def test_places_of_ones_own(self):
        with folder() as root:
            places = {"PREFIX": f"{root}/opt/eip", "OCF_ROOT": f"{root}/ocf", "SYSCONFDIR": f"{root}/etc", "LOCALSTATEDIR": f"{root}/var"}
            install("install", str(built("eip")), **places)
            agent = root / "ocf/resource.d/heartbeat/eip"
            self.assertEqual(agent, (root / "opt/eip/sbin/eipctl").resolve())
            unit = (root / "opt/eip/lib/systemd/system/eip-restore.service").read_text()
            self.assertIn(f"\nExecStart={root}/opt/eip/sbin/eipctl restore\n", unit)
            self.assertNotIn("/usr/sbin/", unit)
            # Another installation keeps a changed configuration.
            configuration = root / "etc/default/elastic-ip"
            configuration.write_text("# changed by its owner\n")
            install("install", str(built("eip")), **places)
            self.assertEqual("# changed by its owner\n", configuration.read_text())

    def test_documents_lead_to_each_other_where_they_are_installed(self):
        with folder() as root:
            install("install", str(built("eip")), DESTDIR=root)
            documents = root / "usr/share/doc/eip"
            self.assertEqual([], dead_links(documents))
            self.assertIn("](../iam/eip-policy.json)", (documents / "docs/iam.md").read_text())
            # Missing files are named.
            self.assertIn("CONTRIBUTING.md (in the sources)", (documents / "README.md").read_text())
            (documents / "iam/eip-policy.json").unlink()
            self.assertEqual(["README.md: iam/eip-policy.json", "docs/iam.md: ../iam/eip-policy.json"], dead_links(documents))

    def test_one_part_alone(self):
        with folder() as root:
            install("install", str(built("eip")), "eip-heartbeat", DESTDIR=root)
            self.assertFalse((root / AGENT.lstrip("/")).exists())
            self.assertTrue((root / "usr/sbin/elastic-ip").is_symlink())

    def test_without_a_binary_it_prints_how_to_get_one(self):
        done = install("install", ok=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("sh packaging/build", done.stderr)

    def test_a_part_that_is_none_is_refused(self):
        done = install("list", "eip-hartbeat", ok=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("eip-hartbeat", done.stderr)

    @needs("dpkg")
    def test_nothing_of_resource_agents_is_overwritten(self):
        theirs = run("dpkg", "--listfiles", "resource-agents", ok=False).stdout.splitlines()
        self.assertIn("/usr/lib/ocf/resource.d/heartbeat/awseip", theirs, "resource-agents is not installed: sh tests/requirements")
        ours = {line.path for part in PARTS for line in listed(part)}
        self.assertEqual(set(), ours & set(theirs))


class Unit(unittest.TestCase):
    @needs("systemd-analyze")
    def test_systemd_finds_nothing_wrong(self):
        with folder() as root:
            for unit in UNITS:
                # The path of its command: systemd looks for it there.
                (root / unit.name).write_text(unit.read_text().replace("/usr/sbin/eipctl", str(built("eip"))))
            done = run("systemd-analyze", "verify", "--man=no", *[root / unit.name for unit in UNITS], ok=False)
        ours = [line for line in done.stderr.splitlines() if "eip" in line]
        self.assertEqual((0, []), (done.returncode, ours))

    def test_centos_7_knows_every_setting(self):
        self.assertEqual(3, len(UNITS))
        settings = {name for unit in UNITS for name in re.findall(r"^([A-Za-z]+)=", unit.read_text(), re.MULTILINE)}
        self.assertEqual(set(), settings - KNOWN_TO_CENTOS_7)

    def test_every_service_reaches_aws_with_the_settings_that_pacemaker_has(self):
        services = [unit for unit in UNITS if unit.suffix == ".service"]
        self.assertEqual(2, len(services))
        for unit in services:
            files = re.findall(r"^EnvironmentFile=-(.*)$", unit.read_text(), re.MULTILINE)
            # The unit's own settings come later, and win.
            self.assertEqual(["/etc/sysconfig/pacemaker", "/etc/default/pacemaker"], files[:2], unit.name)

    def test_it_comes_before_everything_that_can_start_the_resource(self):
        before = re.search(r"^Before=(.*)$", UNIT.read_text(), re.MULTILINE)[1].split()
        for service in ("corosync", "pacemaker", "pacemaker_remote", "heartbeat", "keepalived"):
            self.assertIn(f"{service}.service", before)

    def test_the_command_gives_up_before_systemd_ends_it(self):
        limit = int(re.search(r"^TimeoutStartSec=(\d+)$", UNIT.read_text(), re.MULTILINE)[1])
        page = (SOURCES / "packaging/man/man8/eipctl.8").read_text()
        restore = page[page.index(".SS restore\n") :]
        self.assertLess(int(re.search(r"\[default: (\d+)\]", restore)[1]), limit)

    @needs("systemd-tmpfiles", root=True)
    def test_tmpfiles_makes_both_state_folders(self):
        with folder() as root:
            entry = root / "eip.conf"
            entry.write_text((SOURCES / "packaging/eip.tmpfiles").read_text())
            run("systemd-tmpfiles", f"--root={root}", "--create", entry)
            for path in ("var/lib/eip", "run/resource-agents/eip"):
                facts = Path(root / path).stat()
                mode = 0o711 if path == "var/lib/eip" else 0o700
                self.assertEqual((mode, 0, 0), (stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid))


if __name__ == "__main__":
    unittest.main()
