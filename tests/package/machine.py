"""What the package tests need of the machine: built files, programs, and what to do if one is missing."""

import functools
import os
import platform
import re
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from servers import built, cache, target

SOURCES = Path(__file__).resolve().parents[2]
AGENT = "/usr/lib/ocf/resource.d/heartbeat/eip"
LIMIT = 120.0
# A scenario takes half a minute.
CLUSTER_LIMIT = 300.0
# Architecture of the packages under test, as `uname` and rpm name it, and as Debian does.
ARCH = os.environ.get("ARCH") or platform.machine()
DEBIAN_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[ARCH]

__all__ = ["AGENT", "ARCH", "CLUSTER_LIMIT", "DEBIAN_ARCH", "LIMIT", "SOURCES", "built", "cache"]


def run(
    *command: object, environment: dict[str, str] | None = None, ok: bool = True, limit: float = LIMIT, **options
) -> subprocess.CompletedProcess:
    """Runs a program to its end; if it fails, unless `ok` is false, the error contains all its output."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
        **options,
    )
    if ok and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def needs(*programs: str, root: bool = False) -> Callable:
    """Marks a class or a test that needs these programs, or root: without them it is skipped, and fails in CI."""
    lacking = [f"the program {name} (sh tests/requirements installs it)" for name in programs if not shutil.which(name)]
    if root and os.geteuid() != 0:
        lacking.append("root")
    if not lacking:
        return lambda what: what
    reason = f"this takes {' and '.join(lacking)}"
    if os.environ.get("CI") != "true":
        return unittest.skip(reason)

    def refuse(what):
        @functools.wraps(what, updated=())
        class Refused(unittest.TestCase):
            def test_what_it_takes_is_here(self):
                self.fail(reason)

        @functools.wraps(what)
        def refused(self):
            self.fail(reason)

        return Refused if isinstance(what, type) else refused

    return refuse


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="eip-package.") as path:
        yield Path(path)


def dead_links(documents: Path) -> list[str]:
    """Links in documents to missing files, each with its document. Fails if hardly any link leads to a file."""
    dead, alive = [], 0
    for document in sorted(documents.rglob("*.md")):
        # Links to other places, and to headings of the same document, begin differently.
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)", document.read_text()):
            if (document.parent / target).exists():
                alive += 1
            else:
                dead.append(f"{document.relative_to(documents)}: {target}")
    assert alive > 20, f"only {alive} links below {documents} lead somewhere"
    return dead


def version() -> str:
    """The version of all that is built here, from Cargo.toml."""
    return re.search(r'^version = "(.+)"$', (SOURCES / "Cargo.toml").read_text(), re.MULTILINE)[1]


def results(*below: str) -> Path:
    """Folder of all build results, or a path in it."""
    return target().joinpath(*below)


def packages() -> Path:
    """Output folder of `make rpm` and `make deb`."""
    return Path(os.environ.get("PACKAGES") or results("packages"))


class Listed(NamedTuple):
    """A line of what packaging/install installs."""

    kind: str
    mode: str
    path: str


def listed(part: str, **places: str) -> list[Listed]:
    """The entries of a package in packaging/contents, by default at the paths of an RPM."""
    places = {"DEFAULTSDIR": "/etc/sysconfig", **places}
    lines = run("sh", "packaging/install", "list", part, environment=places, cwd=SOURCES).stdout.splitlines()
    return [Listed(*line.split(" ", 2)) for line in lines if line]
