"""`make rpm`, `make deb`, `make dist` and `make install` from a fresh clone: their requirements are installed, or named in one line."""

import re
import shutil
import unittest
from pathlib import Path

from machine import SOURCES, folder, run

# The programs that tests/requirements itself runs, and the stand-in for dnf.
TOOLS = ("awk", "cat", "cp", "cut", "dirname", "head", "sed", "sort", "tr", "uname")
MADE_WITH = ("make", "flock", "gcc", "git", "rpmbuild", "dpkg-deb", "xz")
PACKAGES = {"gcc": "gcc", "python3": "python3", "rpmbuild": "rpm-build", "dpkg-deb": "dpkg", "xz": "xz"}
# Logs its calls, installs what is in the folder "offered", and lists all packages without a file in "unknown".
DNF = """#!/bin/sh
here=${0%/*}
for last; do :; done
case "$*" in *list*) [ ! -e "$here/../unknown/$last" ] ;; *install*) echo "$*" >>"$here/../asked"; cp "$here"/../offered/* "$here/" ;; esac
"""


class Machine:
    """A machine's programs, as far as tests/requirements looks for them."""

    def __init__(self, place: Path, lacking: tuple[str, ...], user: int):
        self.place, self.programs = place, place / "bin"
        self.programs.mkdir()
        for tool in TOOLS:
            (self.programs / tool).symlink_to(shutil.which(tool))
        self.script("id", f"#!/bin/sh\necho {user}\n")
        self.script("cargo", "#!/bin/sh\necho cargo 9.0.0\n")
        self.script("dnf", DNF)
        (place / "offered").mkdir()
        (place / "unknown").mkdir()
        for program in (*MADE_WITH, "python3"):
            self.script(program, "#!/bin/sh\n", "offered" if program in lacking else "bin")

    def script(self, name: str, text: str, where: str = "bin"):
        (self.place / where / name).write_text(text)
        (self.place / where / name).chmod(0o755)

    def requirements(self, *groups: str):
        environment = {"PATH": str(self.programs), "SUDO_USER": "", "CI": ""}
        return run("/bin/sh", SOURCES / "tests/requirements", *groups, environment=environment, ok=False)

    def asked(self) -> str:
        asked = self.place / "asked"
        return asked.read_text() if asked.exists() else ""


class Requirements(unittest.TestCase):
    def test_what_is_there_is_not_requested_and_root_is_not_needed(self):
        with folder() as place:
            machine = Machine(place, (), user=1000)
            done = machine.requirements("build", "zig", "rpm", "deb", "dist")
            self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))
            self.assertEqual("", machine.asked())

    def test_root_gets_what_is_lacking_and_no_more(self):
        for groups, lacking in ((("build", "zig", "rpm"), ("gcc", "python3", "rpmbuild")), (("build", "zig", "deb"), ("dpkg-deb",)), (("dist",), ("xz",))):
            with self.subTest(groups), folder() as place:
                machine = Machine(place, (*lacking, "rpmbuild", "xz"), user=0)
                done = machine.requirements(*groups)
                self.assertEqual(0, done.returncode, done.stderr)
                self.assertEqual({PACKAGES[one] for one in lacking}, set(re.search("-y +(.+)", machine.asked())[1].split()))

    def test_a_package_that_this_release_lacks_keeps_out_no_other(self):
        with folder() as place:
            machine = Machine(place, ("rpmbuild", "xz"), user=0)
            (place / "unknown/xz").touch()
            done = machine.requirements("rpm", "dist")
            self.assertEqual(["rpm-build"], re.search("-y +(.+)", machine.asked())[1].split())
            self.assertIn("no package xz in this release\n", done.stderr)

    def test_others_get_one_line_with_what_is_lacking_and_go_no_further(self):
        for group, lacking in (("build", "gcc"), ("zig", "python3"), ("rpm", "rpmbuild"), ("deb", "dpkg-deb"), ("dist", "xz")):
            with self.subTest(group), folder() as place:
                machine = Machine(place, (lacking,), user=1000)
                done = machine.requirements(group)
                self.assertEqual((1, 1), (done.returncode, done.stderr.count("\n")), done.stderr)
                self.assertIn(f"to install: {PACKAGES[lacking]} - run once: sudo sh tests/requirements {group}\n", done.stderr)

    def test_what_cannot_be_had_ends_it(self):
        with folder() as place:
            machine = Machine(place, ("dpkg-deb",), user=0)
            (place / "offered/dpkg-deb").rename(place / "offered/another")
            done = machine.requirements("deb")
            self.assertEqual(1, done.returncode)
            self.assertIn("could not install: dpkg ", done.stderr)


# A toolchain without the standard library for aarch64.
RUSTC = """#!/bin/sh
toolchain=$(realpath "${{0%/*}}/..")
case "$*" in
-vV) printf 'commit-hash: 0123\nhost: x86_64-unknown-linux-gnu\nrelease: 9.0.0\n' ;;
'--print sysroot') echo "$toolchain" ;;
*) echo "$toolchain/{library}" ;;
esac
"""
LIBRARY = "lib/rustlib/aarch64-unknown-linux-gnu/lib"
# Output of apt-cache madison: Debian has another version than the compiler's, and one whose number only begins with it.
MADISON = "#!/bin/sh\necho ' rust-src | 9.0.1+dfsg1-1 | suite'; echo ' rust-src | 9.0.00+dfsg1-1 | suite'\n"


class RustStd(unittest.TestCase):
    def machine(self, place: Path, rustup: str, debian: str = "") -> Machine:
        machine = Machine(place, (), user=1000)
        for tool in ("cksum", "env", "mkdir", "mktemp", "printf", "realpath", "rm", "timeout"):
            (machine.programs / tool).symlink_to(shutil.which(tool))
        machine.script("rustc", RUSTC.format(library=LIBRARY))
        machine.script("rustup", f"#!/bin/sh\n{rustup}\n")
        machine.script("apt-get", f"#!/bin/sh\necho {debian}\n")
        machine.script("apt-cache", MADISON)
        return machine

    def rust_std(self, machine: Machine):
        environment = {"PATH": str(machine.programs), "EIP_CACHE": str(machine.place / "cache"), "ARCH": "aarch64"}
        return run("/bin/sh", SOURCES / "packaging/rust-std", environment=environment, ok=False)

    def test_a_toolchain_that_has_it_is_taken_as_it_is(self):
        with folder() as place:
            machine = self.machine(place, f"touch {place}/asked")
            (place / LIBRARY).mkdir(parents=True)
            done = self.rust_std(machine)
            self.assertEqual((0, f"{place}\n", ""), (done.returncode, done.stdout, done.stderr))
            self.assertEqual("", machine.asked())

    def test_rustup_brings_it(self):
        with folder() as place:
            done = self.rust_std(self.machine(place, f'[ "$*" = "target add aarch64-unknown-linux-gnu" ] && mkdir -p {place}/{LIBRARY}'))
            self.assertEqual((0, f"{place}\n", ""), (done.returncode, done.stdout, done.stderr))

    def test_one_line_reports_that_it_cannot_be_had(self):
        for debian, reason in (("", "no Debian repository"), ("debian:", "has no rust-src of this version")):
            with self.subTest(debian), folder() as place:
                done = self.rust_std(self.machine(place, "exit 1", debian))
                self.assertEqual((77, "", 1), (done.returncode, done.stdout, done.stderr.count("\n")), done.stderr)
                self.assertIn("no standard library of Rust 9.0.0 for aarch64-unknown-linux-gnu: rustup can't fetch it", done.stderr)
                self.assertIn(reason, done.stderr)
                self.assertEqual([], list((place / "cache").rglob("*work*")))


class Makefile(unittest.TestCase):
    def steps(self, *words: str) -> list[str]:
        """The commands that make would run, reduced to those that are tested here."""
        told = run("make", "--dry-run", "--no-print-directory", *words, cwd=SOURCES, environment={"MAKEFLAGS": "", "MAKELEVEL": ""}).stdout
        return re.findall(r"^.*?(tests/requirements[^\n]*|packaging/(?:build|rpm|deb|dist|install)) ?", told, re.MULTILINE)

    def test_each_target_brings_what_it_takes_first(self):
        self.assertEqual(["tests/requirements build zig rpm", "packaging/rpm"], self.steps("rpm"))
        self.assertEqual(["tests/requirements build zig deb", "packaging/deb"], self.steps("deb"))
        self.assertEqual(["tests/requirements dist", "packaging/dist"], self.steps("dist"))
        self.assertEqual(["tests/requirements build zig", "packaging/build", "packaging/install"], self.steps("install"))

    def test_the_demo_brings_no_more_than_it_runs(self):
        self.assertEqual("tests/requirements build zig cluster", self.steps("demo")[0])

    def test_without_zig_no_python_is_requested(self):
        self.assertEqual(["tests/requirements build", "packaging/build"], self.steps("agent", "BUILD=plain"))


if __name__ == "__main__":
    unittest.main()
