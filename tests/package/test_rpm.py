"""The metadata and contents of the RPMs from `make rpm`: rpm 4.11 can read them, they require little, and they contain what is documented."""

import os
import re
import unittest
from pathlib import Path, PurePosixPath

from machine import AGENT, ARCH, SOURCES, built, folder, listed, needs, run, version
from rpms import GLIBC_2_17, PARTS, eip, eip_release, resource_agents

# The features of rpm 4.11.
READABLE = {"CompressedFileNames", "FileDigests", "PayloadFilesHavePrefix", "PayloadIsXz"}
SHA256 = "8"
LARGEST = 15 * 1000 * 1000


def query(part: str, form: str) -> str:
    return run("rpm", "-qp", "--qf", form, eip(part)).stdout


def requires(part: str) -> list[str]:
    return run("rpm", "-qp", "--requires", eip(part)).stdout.splitlines()


@needs("rpm", "rpmbuild")
class Facts(unittest.TestCase):
    def test_rpm_4_11_knows_every_feature_of_the_format(self):
        for part in PARTS:
            with self.subTest(part):
                features = {found[1] for line in requires(part) if (found := re.match(r"rpmlib\((\w+)\)", line))}
                self.assertIn("PayloadIsXz", features)
                self.assertLessEqual(features, READABLE)

    def test_payload_and_digests_are_those_that_rpm_4_11_reads(self):
        for part in PARTS:
            with self.subTest(part):
                self.assertEqual("xz cpio", query(part, "%{PAYLOADCOMPRESSOR} %{PAYLOADFORMAT}"))
                self.assertEqual(SHA256, query(part, "%{FILEDIGESTALGO}"))
                # rpm 4.11 checks MD5 and SHA-1 of the whole, current versions only SHA-256.
                for tag in ("SIGMD5", "SHA1HEADER", "SHA256HEADER", "PAYLOADDIGEST"):
                    self.assertRegex(query(part, f"%{{{tag}}}"), "^[0-9a-f]{32,}$", tag)

    def test_dependencies_are_plain(self):
        for part in PARTS:
            with self.subTest(part):
                for kind in ("--recommends", "--suggests", "--supplements", "--enhances", "--filetriggers", "--triggers"):
                    self.assertEqual("", run("rpm", "-qp", kind, eip(part)).stdout, kind)
                rich = [line for line in requires(part) if line.startswith("(")]
                self.assertEqual([], rich)

    def test_nothing_is_required_that_centos_7_lacks(self):
        offered = {"/bin/sh", "rtld(GNU_HASH)"}
        for library, symbols in GLIBC_2_17.items():
            offered |= {f"{library}()(64bit)", *(f"{library}(GLIBC_{one})(64bit)" for one in symbols.split())}
        self.assertEqual(ARCH, query("eip", "%{ARCH}"))
        wanted = {line for line in requires("eip") if not line.startswith("rpmlib(")}
        self.assertIn("libc.so.6(GLIBC_2.17)(64bit)", wanted)
        self.assertEqual(set(), wanted - offered)

    def test_parts_require_the_very_same_build(self):
        # keepalived's command is a shell script: it would resolve a link, and with it the name.
        for part, interpreters in (("eip-heartbeat", []), ("eip-keepalived", ["/bin/sh"])):
            # rpm lets a package with configuration require its own configuration.
            wanted = [line for line in requires(part) if not line.startswith(("rpmlib(", f"config({part}) = {version()}-1"))]
            self.assertEqual([*interpreters, f"eip = {version()}-1"], wanted)

    def test_scriptlets_are_for_the_shell_and_start_nothing(self):
        scripts = run("rpm", "-qp", "--scripts", eip()).stdout
        self.assertEqual(3, scripts.count("scriptlet (using /bin/sh):"))
        # Except for the timer when the package is erased, which no resource needs.
        scripts = scripts.replace("systemctl stop eip-metrics.timer", "", 1)
        self.assertNotRegex(scripts, r"systemctl[^\n]*\b(re)?(start|stop)\b|try-restart|--now|\bkill")
        for part in ("eip-heartbeat", "eip-keepalived"):
            self.assertEqual("", run("rpm", "-qp", "--scripts", eip(part)).stdout)

    def test_versions_are_equal(self):
        spec = re.search(r"^Version: +(\S+)$", (SOURCES / "packaging/eip.spec").read_text(), re.MULTILINE)[1]
        self.assertEqual(version(), spec)
        for part in PARTS:
            with self.subTest(part):
                self.assertEqual(version(), query(part, "%{VERSION}"))

    def test_the_list_of_files_is_the_documented_one(self):
        for part in PARTS:
            with self.subTest(part):
                documented = {(line.path, {"dir": "d", "link": "l"}.get(line.kind, "-")) for line in listed(part)}
                packed = set()
                for line in query(part, "[%{FILENAMES} %{FILEMODES:perms}\n]").splitlines():
                    path, mode = line.rsplit(" ", 1)
                    packed.add((path.removesuffix(".gz") if "/man/" in path else path, mode[0]))
                # Parent folders of a file are owned without their own line.
                above = {(str(parent), "d") for path, _ in documented for parent in PurePosixPath(path).parents}
                self.assertEqual(documented, packed - (above - documented))

    def test_modes_and_owners(self):
        for part in PARTS:
            with self.subTest(part):
                modes = {line.path: line.mode for line in listed(part)}
                for line in query(part, "[%{FILENAMES} %{FILEMODES:octal} %{FILEUSERNAME}:%{FILEGROUPNAME}\n]").splitlines():
                    path, mode, owner = line.rsplit(" ", 2)
                    self.assertEqual("root:root", owner, path)
                    wanted = modes.get(path.removesuffix(".gz"), "755")
                    if wanted != "-":
                        self.assertEqual(int(wanted, 8), int(mode, 8) & 0o7777, path)

    def test_configuration_is_marked_as_such(self):
        for part in PARTS:
            with self.subTest(part):
                documented = {line.path for line in listed(part) if line.kind == "config"}
                packed = query(part, "[%{FILENAMES} %{FILEFLAGS:fflags}\n]").splitlines()
                marked = {path for path, flags in (line.split(" ", 1) for line in packed) if "c" in flags and "n" in flags}
                self.assertEqual(documented, marked)

    def test_no_file_of_resource_agents_is_overwritten(self):
        theirs = {path.removesuffix(".gz") for path in resource_agents()}
        for part in PARTS:
            with self.subTest(part):
                ours = {line.path for line in listed(part) if line.kind != "dir"}
                self.assertEqual(set(), ours & theirs)

    def test_the_binary_is_the_one_that_the_tests_ran(self):
        digest = run("sha256sum", built("eip")).stdout.split()[0]
        packed = dict(line.split(" ") for line in query("eip", "[%{FILENAMES} %{FILEDIGESTS}\n]").splitlines() if line[-1] != " ")
        self.assertEqual(digest, packed[AGENT])

    def test_the_binary_is_smaller_than_12_mb(self):
        self.assertLess(built("eip").stat().st_size, 12 * 1000 * 1000)

    def test_installed_size(self):
        self.assertLess(sum(int(query(part, "%{SIZE}")) for part in PARTS), LARGEST)

    def test_the_same_sources_give_the_same_packages(self):
        with folder() as again:
            eip_release(built("eip"), 1, again)
            for part in PARTS:
                with self.subTest(part):
                    self.assertTrue(eip(part).read_bytes() == (again / eip(part).name).read_bytes(), "not the same bytes")


@needs("rpm")
class ListOfFiles(unittest.TestCase):
    def test_rpm_4_11_whose_tag_license_is_a_macro_reads_the_list_as_it_stands(self):
        """It expands macros in the list too: what `%license` marks elsewhere is the name of the licence there."""
        for part in PARTS:
            made = run("sh", "-ec", f"cd {SOURCES}/packaging; sh install list {part} | sh rpm-files").stdout
            read = run("rpm", "--define", "license Apache-2.0 AND MIT", "--eval", made).stdout
            self.assertEqual(made.split(), read.split())


@needs("rpmlint")
class Lint(unittest.TestCase):
    def test_rpmlint_finds_no_error(self):
        done = run("rpmlint", "--rpmlintrc", SOURCES / "packaging/rpmlintrc", *map(eip, PARTS), SOURCES / "packaging/eip.spec", ok=False)
        self.assertRegex(done.stdout, r"3 packages and 1 specfiles checked; 0 errors", done.stderr)


# Compiling takes ten minutes and is tested with the tarball; this tests the steps around it.
CARGO = """#!/bin/sh
if [ "$1" = build ]; then install -D {binary} target/{target}/release/eip; fi
"""


@needs("rpm", "rpmbuild", "tar", "rustc")
class FromTheTarball(unittest.TestCase):
    def test_a_distribution_gets_the_same_files(self):
        name = f"eip-{version()}"
        with folder() as place:
            target = re.search("^host: (.+)$", run("rustc", "-vV").stdout, re.MULTILINE)[1]
            (place / "cargo").write_text(CARGO.format(binary=built("eip"), target=target))
            (place / "cargo").chmod(0o755)
            without = ("--exclude=./.git", "--exclude=./target", "--exclude=./vendor")
            run("tar", "-cJf", place / f"{name}.tar.xz", *without, f"--transform=s,^[.],{name},", "-C", SOURCES, ".", environment={"XZ_OPT": "-0"})
            # The packages for cargo and gcc have another distribution's names.
            words = ("--nodeps", "--define", f"_topdir {place}", "--define", f"_rpmdir {place}/made")
            environment = {"PATH": f"{place}:{os.environ['PATH']}", "CARGO_TARGET_DIR": "target", "RUSTFLAGS": "-Cdebuginfo=2"}
            run("rpmbuild", "-tb", *words, place / f"{name}.tar.xz", environment=environment)
            made = {path.name.rsplit("-", 2)[0]: path for path in (place / "made").rglob("*.rpm")}
            self.assertEqual(set(PARTS), set(made))
            for part in PARTS:
                with self.subTest(part):
                    ours, theirs = (run("rpm", "-qp", "--list", path).stdout for path in (eip(part), made[part]))
                    self.assertEqual(ours, theirs)


@needs("rpmbuild", "rustc")
class OtherArchitecture(unittest.TestCase):
    def test_an_architecture_that_cannot_be_built_is_named_in_one_line(self):
        # For these, rustup has no standard library, or few users have installed it.
        libraries = Path(run("rustc", "--print", "sysroot").stdout.strip()) / "lib/rustlib"
        absent = (one for one in ("aarch64", "s390x", "powerpc64", "sparc64", "m68k") if not (libraries / f"{one}-unknown-linux-gnu/lib").exists())
        architecture = next(absent)
        target = f"{architecture}-unknown-linux-gnu"
        with folder() as made:
            done = run("sh", "packaging/rpm", made, environment={"ARCH": architecture}, cwd=SOURCES, ok=False)
            self.assertEqual(1, done.returncode)
            self.assertEqual([], list(made.iterdir()))
        self.assertEqual(1, done.stderr.count("\n"), done.stderr)
        self.assertIn(f"no standard library for {target}", done.stderr)
        self.assertIn(f"rustup target add {target}", done.stderr)


if __name__ == "__main__":
    unittest.main()
