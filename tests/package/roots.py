"""Scratch roots: folders that are the whole file system of a machine for rpm, dnf and the programs installed there."""

import contextlib
import hashlib
import os
import tempfile
import unittest
from pathlib import Path

from machine import run
from node import Node, node


class Bare:
    """A root that contains only these empty folders."""

    def __init__(self, path: Path, *folders: str):
        self.path = path
        for folder in ("dev", "proc", "tmp", *folders):
            (path / folder).mkdir(parents=True)
        # Only its owner may enter the test's folder; the user nobody gets inside by chroot.
        path.chmod(0o755)

    def inside(self, *words: object, user: int = 0, ok: bool = True):
        """Runs a program of the root in it."""
        return run("chroot", f"--userspec={user}:{user}", self.path, *words, ok=ok)

    def in_cloud(self, test: unittest.TestCase) -> Node:
        """An instance whose agent is the one in the root, until the test is over."""
        running = contextlib.ExitStack()
        test.addCleanup(running.close)
        there = running.enter_context(node(Path(running.enter_context(tempfile.TemporaryDirectory()))))
        there.prefix = ["chroot", str(self.path)]
        return there

    def at(self, path: str) -> Path:
        return self.path / path.lstrip("/")

    def leads_to(self, path: str) -> str:
        """Target of a link, as seen in the root."""
        target = os.path.normpath(Path(path).parent / os.readlink(self.at(path)))
        return self.leads_to(target) if self.at(target).is_symlink() else target


class Root(Bare):
    """A root with its own package database, in which nothing of the machine is visible."""

    def __init__(self, path: Path):
        # As under systemd, so that the scriptlets run completely; the stand-in for systemctl logs its calls to /var/log/asked.
        super().__init__(path, "run/systemd/system", "var/log")
        (path / "dev/null").touch()

    def rpm(self, *words: object, ok: bool = True):
        return run("rpm", "--root", self.path, *words, ok=ok)

    def dnf(self, *words: str, ok: bool = True, **settings: object):
        """Runs dnf; its caches and logs stay in the root, because other tests run concurrently, and the machine's configuration is not read."""
        self.at("/etc").mkdir(exist_ok=True)
        self.at("/etc/dnf.conf").write_text("[main]\n")
        # A configured folder is not relative to the root by itself.
        settings = {"reposdir": "/dev/null", "cachedir": self.at("/var/cache/dnf"), "pluginpath": "/dev/null", "install_weak_deps": "0", **settings}
        options = (f"--setopt={name}={value}" for name, value in settings.items())
        where = (f"--config={self.at('/etc/dnf.conf')}", "--releasever=9", f"--installroot={self.path}", "--disableplugin=*", "--noplugins")
        # The proxies through which this machine gets its packages.
        return run("dnf", "-y", *where, *options, *words, ok=ok, environment={"no_proxy": "127.0.0.1"})

    def unpack(self, *packages: Path):
        """Extracts the files of RPMs to their places, without any dependencies."""
        self.rpm("--install", "--nodeps", "--noscripts", *packages)

    def asked(self) -> list[str]:
        """The calls of systemctl and systemd-tmpfiles since the last time."""
        record = self.at("/var/log/asked")
        lines = record.read_text().splitlines() if record.exists() else []
        record.unlink(missing_ok=True)
        return lines

    def files(self) -> set[str]:
        """Every file, and every folder of ours, except rpm's own database and the log of `asked`."""
        database = run("rpm", "--eval", "%_dbpath").stdout.strip()
        found = (path for path in self.path.rglob("*") if not path.is_dir() or "eip" in path.name or "ocf" in path.parts)
        return {path for one in found if not (path := f"/{one.relative_to(self.path)}").startswith((database, "/var/log/asked"))}

    def state(self) -> dict[str, str]:
        """The agent's records here: each file with its digest, owner and mode."""
        found = {}
        for folder in ("/var/lib/eip", "/run/resource-agents/eip"):
            for path in sorted(self.at(folder).rglob("*")):
                facts = path.stat()
                digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
                found[f"/{path.relative_to(self.path)}"] = f"{digest} {facts.st_uid}:{facts.st_gid} {facts.st_mode:o} {facts.st_ino}"
        return found
