"""The tarball of `make dist`, and that the build path leaves no trace in the result.

Nothing is compiled here. `make reproducible`, which compiles the SDK twice, tests that the tarball builds without a network, and that two
builds give the same binary.
"""

import os
import re
import tarfile
import unittest
from pathlib import Path

from machine import SOURCES, built, folder, needs, results, run, version

# The whole workspace, with only the files in the tarball.
OFFLINE = ("--frozen", "--offline")


def git(*words: str) -> str:
    return run("git", *words, cwd=SOURCES).stdout


@needs("git", "tar", "xz")
class Tarball(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.name = f"eip-{version()}"
        cls.tarball = results("package-test") / f"{cls.name}.tar.xz"
        if not cls.tarball.exists():
            raise FileNotFoundError(f"{cls.tarball} is not there: run `make package-test`")
        with tarfile.open(cls.tarball) as tar:
            cls.members = {member.name: member for member in tar.getmembers()}

    def test_everything_of_the_commit_is_in_it(self):
        missing = [path for path in git("ls-tree", "-r", "--name-only", "HEAD").splitlines() if f"{self.name}/{path}" not in self.members]
        self.assertEqual([], missing)

    def test_nothing_else_is_in_it_but_the_crates(self):
        sources = {f"{self.name}/{path}" for path in git("ls-tree", "-r", "--name-only", "HEAD").splitlines()}
        others = {path for path, member in self.members.items() if not member.isdir()} - sources
        self.assertEqual([f"{self.name}/.cargo/config.toml"], [path for path in others if not path.startswith(f"{self.name}/vendor/")])

    def test_every_crate_of_the_lock_file_is_in_it(self):
        crates = re.findall(r'^name = "(.+)"\nversion = "(.+)"\nsource = ', git("show", "HEAD:Cargo.lock"), re.MULTILINE)
        self.assertGreater(len(crates), 100)
        missing = [f"{name}-{number}" for name, number in crates if f"{self.name}/vendor/{name}-{number}/Cargo.toml" not in self.members]
        self.assertEqual([], missing)

    def test_it_has_no_ready_made_libraries(self):
        libraries = [path for path, member in self.members.items() if member.size and path.endswith((".a", ".lib", ".dll", ".so", ".o"))]
        # ring includes nasm's output for Windows; Linux uses the sources beside it.
        self.assertEqual([], [path for path in libraries if not path.endswith(("-nasm.o", "win32n.o"))])

    def test_order_owners_modes_and_times_are_the_same_everywhere(self):
        commit = int(git("log", "-1", "--format=%ct"))
        for path, member in self.members.items():
            facts = (member.uid, member.gid, member.uname, member.gname, member.mtime)
            self.assertEqual((0, 0, "", "", commit), facts, path)
            self.assertIn(member.mode, (0o755, 0o644, 0o777 if member.issym() else 0o644), path)
        # tar finishes each folder before the next one, so the parts of the names are in order, not the names.
        order = [path.encode().split(b"/") for path in self.members]
        self.assertEqual(sorted(order), order)

    @needs("cargo")
    def test_cargo_needs_nothing_but_the_tarball(self):
        with folder() as place:
            run("tar", "-xf", self.tarball, "-C", place)
            (place / "empty").mkdir()
            # No registry, no cache of crates, and cargo must not use the network.
            environment = {"CARGO_HOME": str(place / "empty"), "CARGO_TARGET_DIR": str(place / "built")}
            sources = place / self.name
            metadata = run("cargo", "metadata", *OFFLINE, "--format-version=1", cwd=sources, environment=environment).stdout
            self.assertNotIn("/registry/", metadata)
            for edges in ("normal", "build", "dev"):
                tree = run("cargo", "tree", *OFFLINE, f"--edges={edges}", "--package=eip", cwd=sources, environment=environment).stdout
                self.assertTrue(tree.startswith(f"eip v{version()}"), tree[:200])
            # The sources that cargo compiles must match the lock file, byte for byte; this checks it.
            self.assertIn("aws-sdk-ec2 v", run("cargo", "tree", *OFFLINE, "--package=eip", cwd=sources, environment=environment).stdout)
            self.assert_checksums(sources / "vendor")

    def assert_checksums(self, vendor: Path):
        """Every crate that Linux compiles has all the files on its list; the lists of the others are empty."""
        emptied, whole = set(), set()
        for listing in vendor.glob("*/.cargo-checksum.json"):
            files = re.search(r'"files":\{([^}]*)\}', listing.read_text())[1]
            (whole if files else emptied).add(listing.parent.name)
            if files:
                absent = [path for path in re.findall(r'"([^"]+)":"[0-9a-f]{64}"', files) if not (listing.parent / path).is_file()]
                self.assertEqual([], absent, listing.parent.name)
        self.assertIn("windows-sys", " ".join(emptied))
        self.assertFalse({name for name in emptied if name.startswith(("aws-", "tokio-", "rustls-", "libc-"))})
        self.assertGreater(len(whole), 100)


@needs("cargo")
class Places(unittest.TestCase):
    def test_the_binary_names_no_folder_of_this_machine(self):
        text = built("eip").read_bytes()
        home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
        toolchain = Path(run("rustc", "--print", "sysroot").stdout.strip())
        for path in (SOURCES, home, toolchain, results()):
            self.assertNotIn(f"{path}/".encode(), text)


if __name__ == "__main__":
    unittest.main()
