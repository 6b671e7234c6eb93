"""`make release` and `make verify-release`: the same files each time, and what a stranger who checks them learns."""

import gzip
import json
import os
import re
import shutil
import tarfile
import tempfile
import unittest
from io import BytesIO
from pathlib import Path

from machine import AGENT, SOURCES, built, folder, needs, run, version
from throwaway import PASSWORD, clone, key, make, place, sign, twice, verify

TOOLS = ("git", "cargo", "minisign", "rpmbuild", "rpm2archive", "dpkg-deb", "xz")
ARCH = os.uname().machine
TREE = f"eip-{version()}-{ARCH}.tar.gz"
SBOM = f"eip-{version()}-{ARCH}.cdx.json"
ADVISORY = """```toml
[advisory]
id = "RUSTSEC-2026-9999"
package = "aws-sdk-ec2"
date = "2026-11-29"
[versions]
patched = []
```

# Made up
"""


@needs(*TOOLS)
class Made(unittest.TestCase):
    def test_two_runs_in_different_places_give_the_same_files(self):
        first, second = twice()
        names = {path.name for path in first.iterdir()}
        self.assertEqual(names, {path.name for path in second.iterdir()})
        self.assertGreater(len(names), 10)
        # Two keys signed them.
        for name in names - {"SHA256SUMS.minisig"}:
            self.assertTrue((first / name).read_bytes() == (second / name).read_bytes(), f"{name} differs")

    def test_a_stranger_can_check_it(self):
        first, second = twice()
        said = verify(first, key("protected", PASSWORD)[1]).stdout
        self.assertIn(f"eip {version()} is complete and genuine", said)
        self.assertEqual(6, said.count("ok: "), said)
        verify(second, key("plain")[1].read_text().splitlines()[1])

    def test_the_agent_is_the_one_that_the_tests_ran(self):
        with tarfile.open(twice()[0] / TREE) as tree:
            self.assertTrue(tree.extractfile(f".{AGENT}").read() == built("eip").read_bytes())

    def test_the_tarball_leaves_the_directories_of_the_machine_as_they_are(self):
        with folder() as root:
            for path, mode in (("usr/bin", 0o711), ("var/lib", 0o700)):
                (root / path).mkdir(parents=True)
                (root / path).chmod(mode)
            (root / "usr/sbin").symlink_to("bin")
            run("tar", "-xzf", twice()[0] / TREE, "-C", root)
            self.assertTrue((root / "usr/sbin").is_symlink())
            self.assertTrue((root / "usr/bin/eipctl").resolve().samefile(root / AGENT.lstrip("/")))
            self.assertEqual([0o711, 0o700], [(root / path).stat().st_mode & 0o777 for path in ("usr/bin", "var/lib")])
            self.assertEqual(0o711, (root / "var/lib/eip").stat().st_mode & 0o777)

    def test_the_notes_are_what_the_changelog_has_for_the_version(self):
        notes = (twice()[0] / "release-notes.md").read_text()
        self.assertTrue(notes.startswith("### "), notes[:80])
        self.assertNotRegex(notes, r"(?m)^## ")
        self.assertIn(notes.strip(), (SOURCES / "CHANGELOG.md").read_text())

    @unittest.skipUnless(os.environ.get("CARGO_AUDIT"), "cargo-audit comes with make release-test")
    def test_cargo_audit_finds_a_vulnerable_crate_in_the_binary(self):
        with folder() as database:
            (database / "crates/aws-sdk-ec2").mkdir(parents=True)
            (database / "crates/aws-sdk-ec2/RUSTSEC-2026-9999.md").write_text(ADVISORY)
            done = run(os.environ["CARGO_AUDIT"], "audit", "--no-fetch", "--db", database, "--json", "bin", built("eip"), ok=False)
            found = json.loads(done.stdout[done.stdout.index("{") :])
            self.assertEqual(["RUSTSEC-2026-9999"], [one["advisory"]["id"] for one in found["vulnerabilities"]["list"]], done.stderr)

    def test_sources_build_source_packages_with_what_they_bundle(self):
        """As Copr and OBS do: from the tarball alone, without a network."""
        with folder() as top:
            run("rpmbuild", "-ts", "--define", f"_topdir {top}", twice()[0] / f"eip-{version()}.tar.xz")
            (package,) = top.glob("SRPMS/*.src.rpm")
            self.assertIn("eip.spec", run("rpm", "-qp", "--list", package).stdout)
        (binary,) = twice()[0].glob(f"eip-{version()}-*.{ARCH}.rpm")
        provided = re.findall(r"^bundled\(crate\((.+)\)\) = (\S+)$", run("rpm", "-qp", "--provides", binary).stdout, re.MULTILINE)
        locked = re.findall(r'^name = "(.+)"\nversion = "(.+)"\nsource', (SOURCES / "Cargo.lock").read_text(), re.MULTILINE)
        self.assertIn("aws-sdk-ec2", dict(provided))
        self.assertLessEqual(set(provided), set(locked))


@needs(*TOOLS)
class Changed(unittest.TestCase):
    """A release that was changed after it was made."""

    def setUp(self):
        there = Path(tempfile.mkdtemp(prefix="eip-release.", dir=place()))
        self.addCleanup(shutil.rmtree, there)
        self.dist = shutil.copytree(twice()[1], there / "dist", copy_function=os.link)

    def write(self, name: str, data: bytes):
        # Linked files are shared with the original.
        (self.dist / name).unlink(missing_ok=True)
        (self.dist / name).write_bytes(data)

    def assert_refused(self, reason: str, public: Path | str = ""):
        done = verify(self.dist, public or key("plain")[1], ok=False)
        self.assertEqual(1, done.returncode)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        self.assertRegex(done.stderr, reason)
        self.assertNotIn("genuine", done.stdout)

    def change_tree(self, path: str, change):
        """Changes one file in the tarball of the installed tree."""
        out = BytesIO()
        with tarfile.open(self.dist / TREE) as old, tarfile.open(fileobj=out, mode="w") as new:
            for member in old.getmembers():
                data = old.extractfile(member).read() if member.isreg() else b""
                if member.name.endswith(path):
                    data = change(data)
                    member.size = len(data)
                new.addfile(member, BytesIO(data))
        self.write(TREE, gzip.compress(out.getvalue(), 1))
        sign(self.dist, "plain")

    def test_signed_by_another_key(self):
        self.assert_refused("minisign: .* key id", key("protected", PASSWORD)[1])

    def test_no_key_to_check_with(self):
        done = run("python3", "-B", SOURCES / "packaging/verify-release", self.dist, environment={"PUBKEY": ""}, ok=False)
        self.assertEqual((1, 1), (done.returncode, done.stderr.count("\n")))
        self.assertIn("PUBKEY is not set", done.stderr)

    def test_not_signed(self):
        (self.dist / "SHA256SUMS.minisig").unlink()
        self.assert_refused("not signed")

    def test_sums_changed(self):
        self.write("SHA256SUMS", (self.dist / "SHA256SUMS").read_bytes() + b"\n")
        self.assert_refused("minisign: ")

    def test_a_file_changed(self):
        self.write(SBOM, (self.dist / SBOM).read_bytes() + b"\n")
        self.assert_refused(f"{SBOM} is not the file of SHA256SUMS")

    def test_a_file_added_or_missing(self):
        self.write("install.sh", b"#!/bin/sh\n")
        self.assert_refused("install.sh is not in SHA256SUMS")
        sign(self.dist, "plain")
        self.assert_refused("unknown: install.sh")
        (self.dist / "install.sh").unlink()
        self.assert_refused("install.sh is missing")

    def test_a_package_missing(self):
        next(self.dist.glob("eip-heartbeat_*.deb")).unlink()
        sign(self.dist, "plain")
        self.assert_refused("0 files are called eip-heartbeat_")

    def test_another_agent_in_one_of_them(self):
        self.change_tree("/heartbeat/eip", lambda data: data + b"\0")
        self.assert_refused(rf"the agent in eip.*\.rpm is not the one in {TREE}")

    def test_a_manual_of_another_version(self):
        self.change_tree("/eipctl.8", lambda data: data.replace(version().encode(), b"0.0.9", 1))
        self.assert_refused("the man pages in .* are of version .*0.0.9")

    def test_an_sbom_with_another_crate(self):
        document = json.loads((self.dist / SBOM).read_text())
        document["components"].pop()
        self.write(SBOM, json.dumps(document).encode())
        sign(self.dist, "plain")
        self.assert_refused(f"only one of the agent for {ARCH} and {SBOM} lists ")
        document["components"][0]["version"] = "99.0.0"
        self.write(SBOM, json.dumps(document).encode())
        sign(self.dist, "plain")
        self.assert_refused("is not in Cargo.lock")


@needs("git")
class Refused(unittest.TestCase):
    """What no release is made from; the refusal comes before anything is built."""

    @classmethod
    def setUpClass(cls):
        cls.sources = clone("refused")

    def assert_refused(self, reason: str, **how: str):
        done = make(self.sources, ok=False, **how)
        self.assertNotEqual(0, done.returncode)
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        self.assertIn(reason, done.stderr)
        self.assertFalse((self.sources / "dist").exists())

    def test_no_version(self):
        self.assert_refused("make release VERSION=0.2.0", number="")

    def test_no_such_tag(self):
        self.assert_refused("not the tag v7.0.0", number="7.0.0")

    def test_a_tag_of_a_version_that_the_files_do_not_state(self):
        run("git", "tag", "v8.0.0", cwd=self.sources)
        self.assert_refused(f"not version 8.0.0: Cargo.toml ({version()}), Cargo.lock", number="8.0.0")

    def test_changes_that_are_not_in_the_tag(self):
        (self.sources / "new").touch()
        self.addCleanup((self.sources / "new").unlink)
        self.assert_refused(f"changes that are not in the tag v{version()}")

    def test_a_key_that_is_none(self):
        self.assert_refused("there is no file /no/key", MINISIGN_KEY="/no/key")


@needs("git")
class Repository(unittest.TestCase):
    def test_all_files_state_the_same_version(self):
        stated = run("sh", "packaging/versions", cwd=SOURCES).stdout.splitlines()
        self.assertGreater(len(stated), 10)
        self.assertEqual({version()}, {line.split(" ")[1] for line in stated})

    def test_no_secret_key_is_in_it(self):
        found = run("git", "grep", "-lE", "^(untrusted comment: .*secret key|-----BEGIN [A-Z ]*PRIVATE KEY)", cwd=SOURCES, ok=False)
        self.assertEqual("", found.stdout)


if __name__ == "__main__":
    unittest.main()
