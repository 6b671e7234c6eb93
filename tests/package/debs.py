"""Debian packages: this project's own, and roots with their own package database to install them into."""

import lzma
import os
import re
import shutil
import tarfile
from io import BytesIO
from pathlib import Path

from machine import DEBIAN_ARCH, SOURCES, Listed, built, listed, packages, run, version
from roots import Bare

PARTS = ("eip", "eip-heartbeat", "eip-keepalived")
# What dpkg requires of a root folder.
DATABASE = ("info", "updates", "triggers", "alternatives")


def parts() -> list[str]:
    """The parts that are not empty."""
    return [part for part in PARTS if files(part)]


def files(part: str) -> list[Listed]:
    """The expected contents of a package, except for its licence: every Debian system has that one."""
    return [line for line in listed(part, DEFAULTSDIR="/etc/default") if not line.path.endswith("/LICENSE")]


def made() -> dict[str, Path]:
    """The packages by name, as `make deb` left them."""
    found = {part: [*packages().glob(f"{part}_{version()}-1_{DEBIAN_ARCH}.deb"), *packages().glob(f"{part}_{version()}-1_all.deb")] for part in parts()}
    lacking = [part for part, paths in found.items() if len(paths) != 1]
    if lacking:
        raise FileNotFoundError(f"one package each of {', '.join(lacking)} is to be in {packages()}: run `make deb`")
    return {part: path for part, (path,) in found.items()}


def make(release: int, folder: Path) -> dict[str, Path]:
    """Builds the packages again for a release; by name."""
    environment = {"RELEASE": str(release)}
    done = run("sh", "packaging/deb", folder, built("eip"), environment=environment, cwd=SOURCES)
    return {Path(path).name.split("_")[0]: Path(path) for path in done.stdout.split()}


def members(package: Path) -> dict[str, bytes]:
    """The parts of a package's archive by name, in order."""
    data, found, at = package.read_bytes(), {}, 8
    assert data[:8] == b"!<arch>\n", package
    while at < len(data):
        name, size = data[at : at + 16].decode().strip().rstrip("/"), int(data[at + 48 : at + 58])
        found[name] = data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    return found


def contents(package: Path) -> dict[str, tarfile.TarInfo]:
    """What a package installs, by path."""
    with tarfile.open(fileobj=BytesIO(lzma.decompress(members(package)["data.tar.xz"]))) as tar:
        return {member.name.removeprefix("."): member for member in tar.getmembers()}


def control(package: Path) -> dict[str, str]:
    fields = run("dpkg-deb", "--field", package).stdout
    return dict(re.findall(r"^(\S+): (.*)$", fields, re.MULTILINE))


def stand_in(folder: Path) -> Path:
    """A libc6 of the oldest supported version. This machine's own takes its place."""
    root = folder / "libc6"
    (root / "DEBIAN").mkdir(parents=True)
    architecture = run("dpkg", "--print-architecture").stdout.strip()
    (root / "DEBIAN/control").write_text(
        f"Package: libc6\nVersion: 2.17-1\nArchitecture: {architecture}\nMaintainer: nobody <nobody@packages.invalid>\n"
        "Description: stands in for the C library\n"
    )
    for library in re.findall(r"(/\S+) \(0x", run("ldd", built("eip")).stdout):
        (root / library.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(library), root / library.lstrip("/"))
    package = folder / "libc6.deb"
    run("dpkg-deb", "--root-owner-group", "--build", root, package)
    return package


class Root(Bare):
    """A root that contains only the stand-in for the C library."""

    def __init__(self, path: Path, libc: Path):
        super().__init__(path, "run", *(f"var/lib/dpkg/{folder}" for folder in DATABASE))
        self.at("/var/lib/dpkg/status").touch()
        self.dpkg("--install", libc)

    def dpkg(self, *words: object, ok: bool = True):
        """Runs dpkg on the root. This machine's shell runs the packages' scripts, with the root in their environment: it contains no shell."""
        environment = {"DEBIAN_FRONTEND": "noninteractive", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        return run("dpkg", f"--root={self.path}", "--force-script-chrootless", *words, ok=ok, environment=environment)

    def status(self, part: str) -> str:
        return self.dpkg_query("${db:Status-Abbrev}", part).strip()

    def dpkg_query(self, what: str, part: str) -> str:
        return run("dpkg-query", f"--admindir={self.at('/var/lib/dpkg')}", "--showformat", what, "--show", part, ok=False).stdout
