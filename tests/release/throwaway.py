"""Throw-away releases of the built agent, signed with throw-away keys: made once for all tests, in clones with their own tag."""

import atexit
import functools
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from machine import SOURCES, built, run, version

PASSWORD = "correct horse"
# Most of the time is spent on compression.
FAST = {"XZ_LEVEL": "0"}


@functools.cache
def place() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="eip-release."))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    # Users other than root enter roots below it.
    folder.chmod(0o755)
    return folder


def clone(name: str, number: str = version()) -> Path:
    """A clone of this commit with the tag of a version."""
    path = place() / name
    run("git", "clone", "--quiet", SOURCES, path)
    run("git", "tag", "--force", f"v{number}", cwd=path)
    return path


@functools.cache
def key(name: str, password: str = "") -> tuple[Path, Path]:
    """A minisign secret key and its public key."""
    secret, public = place() / f"{name}.key", place() / f"{name}.pub"
    # minisign reads the password from standard input, twice.
    how = () if password else ("-W",)
    run("sh", "-c", 'printf "%s\\n%s\\n" "$0" "$0" | minisign -G "$@"', password, *how, "-s", secret, "-p", public)
    return secret, public


def make(sources: Path, ok: bool = True, number: str = version(), **environment: str):
    """Runs what `make release` runs, with the built agent."""
    command = ("sh", "packaging/release", number, "dist", built("eip"))
    return run(*command, cwd=sources, ok=ok, environment={**FAST, **environment}, limit=300)


@functools.cache
def twice() -> tuple[Path, Path]:
    """Two releases of the same commit, from clones with different paths, with different keys and different ways to name them."""
    first, second = clone("first"), clone("second-place")
    protected, plain = key("protected", PASSWORD)[0], key("plain")[0]
    keys = {"MINISIGN_KEY": str(protected), "MINISIGN_PASSWORD": PASSWORD}, {"MINISIGN_KEY": plain.read_text()}
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(make, sources, **key) for sources, key in zip((first, second), keys, strict=True)]:
            done.result()
    return first / "dist", second / "dist"


def verify(dist: Path, public: str | Path, ok: bool = True):
    command = ("python3", "-B", SOURCES / "packaging/verify-release", dist)
    return run(*command, environment={"PUBKEY": str(public), "PATH": os.environ["PATH"]}, ok=ok)


def sign(dist: Path, name: str):
    """Renews the checksums of a changed release and signs them."""
    for old in (dist / "SHA256SUMS", dist / "SHA256SUMS.minisig"):
        old.unlink(missing_ok=True)
    (dist / "SHA256SUMS").write_text(run("sha256sum", "--", *sorted(os.listdir(dist)), cwd=dist).stdout)
    run("minisign", "-S", "-s", key(name)[0], "-m", dist / "SHA256SUMS")
