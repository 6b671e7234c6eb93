"""The Debian packages: their contents, lintian's findings, and what happens when they are installed, replaced, removed and purged."""

import contextlib
import gzip
import lzma
import os
import re
import shutil
import tarfile
import tempfile
import unittest
from io import BytesIO
from pathlib import Path

import debs
from machine import AGENT, CLUSTER_LIMIT, DEBIAN_ARCH, SOURCES, built, dead_links, folder, needs, run, version

NOBODY = 65534
ENABLED = "/etc/systemd/system/multi-user.target.wants/eip-restore.service"


@needs("dpkg-deb", "lintian", "xz")
class Made(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = debs.made()

    def test_every_part_has_a_package(self):
        self.assertEqual(debs.parts(), list(self.made))

    def test_lintian_has_nothing_to_say(self):
        done = run("lintian", "--allow-root", "--fail-on", "error,warning", *self.made.values(), ok=False)
        self.assertEqual((0, ""), (done.returncode, done.stdout))

    def test_dpkg_of_old_reads_it(self):
        for package in self.made.values():
            self.assertEqual(["debian-binary", "control.tar.xz", "data.tar.xz"], list(debs.members(package)))

    def test_nothing_is_needed_but_the_c_library(self):
        fields = debs.control(self.made["eip"])
        self.assertEqual(DEBIAN_ARCH, fields["Architecture"])
        self.assertEqual("libc6 (>= 2.17)", fields["Depends"])
        # Debian starts what it installs, and a node with Heartbeat or keepalived must not get a second cluster.
        self.assertFalse({"Recommends", "Pre-Depends"} & set(fields))
        wanted = re.findall(rb"GLIBC_(\d+)\.(\d+)", built("eip").read_bytes())
        self.assertLessEqual(max((int(major), int(minor)) for major, minor in wanted), (2, 17))
        for part in debs.parts()[1:]:
            # Not of the same version: apt would remove a part that a command does not name.
            self.assertEqual("eip (>= 0.2.0)", debs.control(self.made[part])["Depends"])

    def test_contents_are_those_of_the_list_and_what_debian_wants(self):
        for part, package in self.made.items():
            found = {path: member for path, member in debs.contents(package).items() if not member.isdir()}
            expected = {f"/usr/share/doc/{part}/copyright", f"/usr/share/doc/{part}/changelog.Debian.gz", f"/usr/share/lintian/overrides/{part}"}
            for line in (line for line in debs.files(part) if line.kind != "dir"):
                path = line.path.replace("/CHANGELOG.md", "/changelog")
                path = path if path in found else f"{path}.gz"
                expected.add(path)
                self.assertIn(path, found)
                if line.kind != "link":
                    self.assertEqual(line.mode, f"{found[path].mode:o}", path)
            self.assertEqual(expected, set(found))

    def test_documents_lead_to_each_other_as_they_are_packed(self):
        with folder() as there:
            for package in self.made.values():
                run("dpkg-deb", "--extract", package, there)
            self.assertEqual([], dead_links(there / "usr/share/doc/eip"))

    def test_everything_is_roots_and_no_newer_than_the_commit(self):
        commit = int(os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct", cwd=SOURCES).stdout)
        for package in self.made.values():
            for path, member in debs.contents(package).items():
                self.assertEqual(("root", "root", 0, 0), (member.uname, member.gname, member.uid, member.gid), path)
                self.assertLessEqual(member.mtime, commit, path)

    def test_state_folder_is_roots_alone(self):
        self.assertEqual(0o711, debs.contents(self.made["eip"])["/var/lib/eip"].mode)

    def test_installed_size_is_below_15_mb(self):
        sizes = [int(debs.control(package)["Installed-Size"]) for package in self.made.values()]
        self.assertLess(sum(sizes), 15 * 1024)

    def test_changelog_is_one_that_dpkg_reads(self):
        with folder() as there:
            changelog = there / "changelog"
            run("dpkg-deb", "--extract", self.made["eip"], there)
            changelog.write_bytes(gzip.decompress((there / "usr/share/doc/eip/changelog.Debian.gz").read_bytes()))
            said = run("dpkg-parsechangelog", "--all", f"--file={changelog}")
        self.assertIn(f"\nVersion: {version()}-1\n", said.stdout)
        self.assertIn("ocf:heartbeat:eip", said.stdout)
        self.assertEqual("", said.stderr)

    def test_made_again_it_is_the_same_byte_for_byte(self):
        with folder() as there:
            for part, package in debs.make(1, there).items():
                self.assertTrue(self.made[part].read_bytes() == package.read_bytes(), f"{part}: not the same bytes")

    def test_the_binary_is_the_one_that_the_tests_ran(self):
        with tarfile.open(fileobj=BytesIO(lzma.decompress(debs.members(self.made["eip"])["data.tar.xz"]))) as tar:
            self.assertTrue(built("eip").read_bytes() == tar.extractfile(f".{AGENT}").read(), "not the same bytes")


@needs("dpkg", "dpkg-deb", "deb-systemd-helper", "systemd-tmpfiles", "chroot", root=True)
class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        running = contextlib.ExitStack()
        cls.addClassCleanup(running.close)
        cls.folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="eip-debs.")))
        cls.libc = debs.stand_in(cls.folder)
        cls.old = debs.made()
        cls.new = debs.make(2, cls.folder / "new")
        cls.roots = 0

    def root(self, *packages: Path) -> debs.Root:
        type(self).roots += 1
        root = debs.Root(self.folder / f"root-{self.roots}", self.libc)
        self.addCleanup(shutil.rmtree, root.path)
        if packages:
            root.dpkg("--install", *packages)
        return root

    def test_everything_is_there_and_every_link_leads_to_the_agent(self):
        root = self.root(*self.old.values())
        for part in debs.parts():
            self.assertEqual("ii", root.status(part))
            self.assertEqual("", root.dpkg("--verify", part).stdout)
            for line in (line for line in debs.files(part) if line.kind == "link"):
                self.assertEqual(AGENT, root.leads_to(line.path), line.path)
        for path in ("/var/lib/eip", "/run/resource-agents/eip"):
            self.assertEqual(0o711 if path == "/var/lib/eip" else 0o700, root.at(path).stat().st_mode & 0o7777)
        # Pacemaker offers every other file there as an agent.
        names = {Path(line.path).name for line in debs.files("eip") if Path(line.path).parent == Path(AGENT).parent}
        self.assertEqual(names, {path.name for path in root.at(AGENT).parent.iterdir()})

    def test_without_the_c_library_it_is_not_configured(self):
        root = self.root()
        root.dpkg("--purge", "libc6")
        done = root.dpkg("--install", self.old["eip"], ok=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("eip depends on libc6 (>= 2.17)", done.stderr)

    def test_meta_data_as_nobody(self):
        root = self.root(self.old["eip"])
        done = root.inside(AGENT, "meta-data", user=NOBODY)
        self.assertIn('<resource-agent name="eip"', done.stdout)
        self.assertEqual("", done.stderr)

    def test_every_name_of_the_agent_runs(self):
        root = self.root(*self.old.values())
        for line in (line for part in debs.parts() for line in debs.files(part) if line.kind == "link"):
            with self.subTest(line.path):
                # 126 and 127 come from chroot, for a program that cannot be run.
                self.assertLess(root.inside(line.path, "--help", ok=False).returncode, 126)

    def test_restore_is_switched_on_and_stays_off_if_it_was_switched_off(self):
        root = self.root(self.old["eip"])
        self.assertTrue(root.at(ENABLED).is_symlink())
        root.at(ENABLED).unlink()
        root.dpkg("--install", self.new["eip"])
        self.assertFalse(root.at(ENABLED).is_symlink())
        root.dpkg("--purge", "eip")
        self.assertEqual([], [path for path in root.at("/etc").rglob("*eip*") if path.is_symlink()])

    def test_upgrade_downgrade_and_removal_leave_a_running_resource_alone(self):
        root = self.root(*self.old.values())
        there = root.in_cloud(self)
        answer = there.run("start")
        self.assertEqual(0, answer.code, answer.stderr)
        remembered = self.remembered(root)
        self.assertTrue(remembered)
        there.calls()
        for packages in (self.new, self.old):
            root.dpkg("--install", "--force-downgrade", *packages.values())
            self.assertEqual(remembered, self.remembered(root))
            answer = there.monitor()
            self.assertEqual(0, answer.code, answer.stderr)
        root.dpkg("--remove", *reversed(debs.parts()))
        self.assertFalse(root.at(AGENT).exists())
        self.assertEqual(set(remembered), set(self.remembered(root)))
        self.assertTrue(there.holds())
        self.assertNotIn("AssociateAddress", there.calls())

        # Installed again, it finds the address and its records.
        root.dpkg("--install", self.old["eip"])
        self.assertEqual(0, there.monitor().code)
        self.assertEqual(0, there.run("stop").code)
        self.assertFalse(there.holds())

    def remembered(self, root: debs.Root) -> dict[str, bytes]:
        """The agent's records."""
        folders = (root.at("/var/lib/eip"), root.at("/run/resource-agents/eip"))
        return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}

    def test_purge_leaves_nothing_but_the_address_where_it_is(self):
        root = self.root(*self.old.values())
        there = root.in_cloud(self)
        self.assertEqual(0, there.run("start").code)
        root.dpkg("--purge", *reversed(debs.parts()))
        left = [path for path in root.path.rglob("*") if "eip" in path.name or "elastic-ip" in path.name]
        self.assertEqual([], left)
        self.assertTrue(there.holds())

    def test_a_changed_configuration_is_kept(self):
        root = self.root(*self.old.values())
        paths = [line.path for part in debs.parts() for line in debs.files(part) if line.kind == "config"]
        for path in paths:
            with root.at(path).open("a") as configuration:
                configuration.write("# changed by its owner\n")
        root.dpkg("--install", "--force-confold", *self.new.values())
        root.dpkg("--remove", *reversed(debs.parts()))
        for path in paths:
            self.assertIn("# changed by its owner\n", root.at(path).read_text())
        root.dpkg("--purge", *debs.parts())
        self.assertEqual([], [path for path in paths if root.at(path).exists()])

    @needs("pacemakerd", "corosync", "pcs")
    def test_a_real_cluster_moves_the_address_with_it(self):
        root = self.root(*self.old.values())
        done = run(built("cluster"), "test", "--agent", root.at(AGENT), "--save", self.folder / "logs", "move", limit=CLUSTER_LIMIT)
        self.assertIn(f"agent under test: {root.at(AGENT)}", done.stdout)
        self.assertIn("1 passed, 0 failed", done.stdout)


if __name__ == "__main__":
    unittest.main()
