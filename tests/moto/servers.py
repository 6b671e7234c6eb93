"""Starts and ends the two EC2 servers, moto and aws-sim, on free loopback ports.

Every wait has a limit, and only the process that started a server ends it, never by name.
"""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

REGION = "eu-west-1"
ACCOUNT = "123456789012"
START_LIMIT = 30.0
END_LIMIT = 5.0


def cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("EIP_CACHE") or Path(home) / "eip")


def target() -> Path:
    """Folder of all that cargo builds."""
    return Path(os.environ.get("CARGO_TARGET_DIR") or cache() / "target")


def built(name: str) -> Path:
    """A binary as `make build` leaves it: the agent as it is shipped (or EIP_BIN), the test tools unchanged."""
    path = target() / "debug" / name
    if name == "eip":
        path = Path(os.environ.get("EIP_BIN") or target() / "release/eip")
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: run `make build`")
    return path


def request(method: str, url: str, body: dict | None = None) -> dict:
    """Sends one request to a server's control interface; the response is JSON or empty."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text.strip() else {}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@contextlib.contextmanager
def process(arguments: list[str], log: Path, **options):
    """Runs a server as long as the block lasts; its standard error goes to `log`."""
    with log.open("wb") as sink:
        server = subprocess.Popen(arguments, stderr=sink, stdin=subprocess.DEVNULL, **options)
        try:
            yield server
        finally:
            server.terminate()
            try:
                server.wait(END_LIMIT)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(END_LIMIT)
            if server.stdout:
                server.stdout.close()


@contextlib.contextmanager
def moto(folder: Path):
    """Runs moto; yields the URL of its EC2."""
    port = free_port()
    script = Path(__file__).with_name("moto_server.py")
    log = folder / "moto.log"
    command = [sys.executable, "-B", str(script), "-H", "127.0.0.1", "-p", str(port)]
    # Its catalogue of machine images is large, loaded at each reset, and not needed here.
    environment = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    with process(command, log, stdout=subprocess.DEVNULL, env=environment) as server:
        url = f"http://127.0.0.1:{port}"
        limit = time.monotonic() + START_LIMIT
        while True:
            try:
                request("POST", f"{url}/moto-api/reset")
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > limit:
                    raise RuntimeError(f"moto did not start:\n{log.read_text(errors='replace')}") from None
                select.select([], [], [], 0.05)
        yield url


@contextlib.contextmanager
def aws_sim(folder: Path, *arguments: str):
    """Runs aws-sim; yields the URL of its EC2, and the URLs of the instances' metadata services by instance id."""
    log = folder / "aws-sim.log"
    command = [str(built("aws-sim")), "serve", "--ec2", "127.0.0.1:0", "--print-ready", *arguments]
    with process(command, log, stdout=subprocess.PIPE) as server:
        line = b""
        if select.select([server.stdout], [], [], START_LIMIT)[0]:
            line = server.stdout.readline()
        if not line:
            raise RuntimeError(f"aws-sim did not get ready:\n{log.read_text(errors='replace')}")
        ready = json.loads(line)
        yield f"http://{ready['ec2']}", {instance: f"http://{address}" for instance, address in ready["imds"].items()}
