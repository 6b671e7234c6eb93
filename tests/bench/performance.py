"""Our agents, the distribution's awseip, awsvip and aws-vpc-move-ip, and the minimum (one curl with the same requests), compared.

They run alternately on one machine against one simulator. Writes docs/PERFORMANCE.md and its drawing, and fails if a limit is exceeded.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/moto"))

import drawing  # noqa: E402: after the path
import place  # noqa: E402
from place import HERE, INTERFACES, METADATA, PEER, PUBLIC, Agent, Outcome, Place, said  # noqa: E402
from servers import request  # noqa: E402

DOCUMENT = REPOSITORY / "docs/PERFORMANCE.md"
DRAWING = REPOSITORY / "docs/performance.svg"
BEGIN, END = "<!-- figures: make bench -->", "<!-- end of the figures -->"
PRIVATE = "10.0.0.100"
TABLES = 10
ROUND_TRIPS_MS = (0, 50)
# Long after the last start: the settling window of the agent's own change is over.
SETTLED = {"settle_window": "0"}
TOKEN_LIFETIME = "X-aws-ec2-metadata-token-ttl-seconds: 300"
# More than the machine's noise, less than one more round trip.
MONITOR_TO_CURL = 0.8
TAKEOVER_ROUND_TRIPS = 1.0


class Subject(NamedTuple):
    """A kind of address: the agents for it, its current holder, and the calls that move it."""

    name: str
    ours: Agent
    old: Agent
    give: Callable[[str | None], None]
    takes: str
    releases: str | None


class Figures(NamedTuple):
    """Costs of an action, one from each run: seconds, MiB and numbers. `moved` and `without` are empty if nothing moves."""

    agent: str
    moved: list[float]
    without: list[float]
    wall: list[float]
    cpu: list[float]
    memory: list[float]
    processes: int
    calls: int


def elastic(here: Place) -> Subject:
    allocation = request("GET", f"{here.ec2}/_sim/state")["addresses"][0]["allocation_id"]

    def usual(_: Place) -> dict[str, str]:
        return {"elastic_ip": PUBLIC, "allocation_id": allocation}

    def give(instance: str | None):
        pairing = {"allocation_id": allocation}
        if instance:
            request("POST", f"{here.ec2}/_sim/associate", pairing | {"eni": INTERFACES[instance]})
        else:
            request("POST", f"{here.ec2}/_sim/disassociate", pairing)

    agents = place.ours(here, "eip", usual), place.old(here, "awseip", usual)
    return Subject("elastic IP", *agents, give, "AssociateAddress", "DisassociateAddress")


def private(here: Place) -> Subject:
    def usual(_: Place) -> dict[str, str]:
        return {"secondary_private_ip": PRIVATE}

    def give(instance: str | None):
        place.take_off(PRIVATE)
        request("POST", f"{here.ec2}/_sim/assign", {"private_ip": PRIVATE})
        if instance:
            request("POST", f"{here.ec2}/_sim/assign", {"private_ip": PRIVATE, "eni": INTERFACES[instance]})

    agents = place.ours(here, "vip", usual), place.old(here, "awsvip", usual)
    return Subject("private address", *agents, give, "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses")


def overlay(here: Place) -> Subject:
    def give(instance: str | None):
        here.take_off_device()
        here.route(TABLES, to=INTERFACES[instance] if instance else None)

    return Subject(f"overlay address, {TABLES} route tables", *place.overlay_agents(here), give, "ReplaceRoute", None)


def ran(agent: Agent, action: str, wanted: Iterable[int] = (0,), **parameters: str) -> Outcome:
    """Runs an action, whose exit code must be among `wanted`."""
    doing = {"monitor": agent.monitor, "start": agent.start, "stop": agent.stop}.get(action)
    outcome = doing(**parameters) if doing else agent.run(action, **parameters)
    if outcome.code not in wanted:
        sys.exit(f"{agent.kind} {action} ended with {outcome.code}: {outcome.stderr}{agent.said()[-3000:]}")
    return outcome


def measured(
    here: Place, subject: Subject, agent: Agent, runs: int, before: Callable[[], None], actions: list[str], **parameters: str
) -> Figures:
    """Runs actions one after the other, each after `before`, which is not measured."""
    moved, without, wall, cpu, memory = [], [], [], [], []
    calls = 0
    for _ in range(runs):
        before()
        here.clear()
        outcomes = [ran(agent, action, **parameters) for action in actions]
        calls = here.calls()
        # A call takes effect half a round trip before its response arrives.
        effects = {
            operation: [entry["answered_at"] - here.round_trip / 2 for entry in here.log(operation) if entry["status"] == 200]
            for operation in (subject.takes, subject.releases)
            if operation
        }
        taken, released = effects[subject.takes], effects.get(subject.releases, [])
        if taken:
            moved.append(max(taken) - outcomes[-1].began)
        if taken and released:
            without.append(max(taken) - min(released))
        wall.append(sum(outcome.wall for outcome in outcomes))
        cpu.append(sum(outcome.cpu for outcome in outcomes))
        memory.append(max(outcome.memory for outcome in outcomes))
    before()
    processes = sum(agent.processes(action, **parameters) for action in actions)
    return Figures(agent.kind, moved, without, wall, cpu, memory, processes, calls)


def monitors(here: Place, agent: Agent, runs: int) -> list[Figures]:
    """Our monitor and, if it makes requests, one curl that makes the same ones, alternately."""
    here.clear()
    ran(agent, "monitor", **SETTLED)
    asked = [entry for entry in here.log() if entry["service"] == "imds"]
    curl = curl_for([entry["operation"].split() for entry in asked])
    both = {agent.kind: lambda: ran(agent, "monitor", **SETTLED)}
    if asked:
        both[f"curl, the same {len(asked)} requests"] = lambda: place.timed(curl, os.environ)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in both}
    for _ in range(runs):
        for name, one in both.items():
            outcomes[name].append(one())
    if any(outcome.code for some in outcomes.values() for outcome in some):
        sys.exit(f"curl: {outcomes}")
    calls = here.calls()
    processes = [agent.processes("monitor", **SETTLED), 1]
    return [
        Figures(name, [], [], *map(list, zip(*((one.wall, one.cpu, one.memory) for one in some))), count, calls)
        for (name, some), count in zip(outcomes.items(), processes)
    ]


def curl_for(requests: list[list[str]]) -> list[str]:
    """The command that makes these requests to the metadata service, given as method and path, with a token from before."""
    asking = ["curl", "-sS", "-X", "PUT", "-H", TOKEN_LIFETIME, f"http://{METADATA}/latest/api/token"]
    token = subprocess.run(asking, check=True, capture_output=True, text=True).stdout
    command = ["curl", "-sS"]
    for number, (method, path) in enumerate(requests):
        header = f"X-aws-ec2-metadata-token: {token}" if method == "GET" else TOKEN_LIFETIME
        command += ["--next", "-sS"] if number else []
        command += ["-o", "/dev/null", "-X", method, "-H", header, f"http://{METADATA}{path}"]
    return command


def compared(here: Place, subject: Subject, runs: int, slow: int) -> dict[str, list[Figures]]:
    """Every situation of one kind of address, with ours and the old agent alternately."""
    ours, old = subject.ours, subject.old
    rows: dict[str, list[Figures]] = {}

    def elsewhere(agent: Agent, **parameters: str):
        """The peer has the address; this node has had it before, and knows all that it can know."""
        subject.give(HERE)
        ran(agent, "start", **parameters)
        ran(agent, "stop", **parameters)
        subject.give(PEER)

    def here_by(agent: Agent, **parameters: str):
        subject.give(PEER)
        ran(agent, "start", **parameters)

    def taken_right_after_a_start():
        subject.give(None)
        ran(ours, "start")
        subject.give(PEER)

    here.delay(0)
    here_by(ours, **SETTLED)
    rows["monitor"] = monitors(here, ours, 5 * runs)
    here_by(old)
    rows["monitor"].append(measured(here, subject, old, slow, lambda: None, ["monitor"]))
    for round_trip in ROUND_TRIPS_MS:
        here.delay(round_trip)
        at = f", {round_trip} ms to EC2"
        if subject.releases:
            rows[f"start of a free address{at}"] = [
                measured(here, subject, ours, runs, lambda: subject.give(None), ["start"], **SETTLED),
                measured(here, subject, old, slow, lambda: subject.give(None), ["start"]),
            ]
        rows[f"takeover{at}"] = [
            measured(here, subject, ours, runs, lambda: elsewhere(ours, **SETTLED), ["start"], **SETTLED),
            measured(here, subject, old, slow, lambda: subject.give(PEER), ["start"]),
        ]
        if subject.releases:
            rows[f"takeover right after an own start{at}"] = [
                measured(here, subject, ours, runs, taken_right_after_a_start, ["start"])
            ]
        rows[f"stop{at}"] = [
            measured(here, subject, ours, runs, lambda: here_by(ours, **SETTLED), ["stop"], **SETTLED),
            measured(here, subject, old, slow, lambda: here_by(old), ["stop"]),
        ]
        if subject.releases:
            rows[f"planned move, stop and start{at}"] = [
                measured(here, subject, ours, runs, lambda: here_by(ours, **SETTLED), ["stop", "start"], **SETTLED),
                measured(here, subject, old, slow, lambda: here_by(old), ["stop", "start"]),
            ]
        rows[f"planned move, live{at}"] = [
            measured(here, subject, ours, runs, lambda: elsewhere(ours, **SETTLED), ["migrate_from"], **SETTLED),
        ]
    here.delay(0)
    subject.give(None)
    return rows


def heading(name: str) -> str:
    return name[0].upper() + name[1:]


def table(rows: dict[str, list[Figures]]) -> list[str]:
    lines = [
        "| action | agent | moved after, ms | without a holder, ms | action, ms | CPU, ms | memory, MiB | processes | EC2 calls |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for action, figures in rows.items():
        for row in figures:
            cells = [action, row.agent, said(row.moved), said(row.without), said(row.wall, 1), said(row.cpu, 1)]
            cells += [said(row.memory, 0, 1.0), str(row.processes), str(row.calls)]
            lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def broken(name: str, rows: dict[str, list[Figures]]) -> list[str]:
    """The limits that are exceeded, in words."""
    problems = []
    ours, *curl, _ = rows["monitor"]
    if ours.calls:
        problems.append(f"{name}: the monitor of a healthy address made {ours.calls} EC2 calls")
    for floor in curl:
        ratio = statistics.median(ours.wall) / statistics.median(floor.wall)
        if ratio > MONITOR_TO_CURL:
            problems.append(f"{name}: a monitor takes {ratio:.2f} times as long as curl, {MONITOR_TO_CURL} is allowed")
    for action, figures in rows.items():
        if action.startswith("takeover") and action.endswith(", 50 ms to EC2"):
            moved = statistics.median(figures[0].moved)
            if moved > TAKEOVER_ROUND_TRIPS * 0.050:
                problems.append(f"{name}: {action}: moved after {1000 * moved:.0f} ms, {TAKEOVER_ROUND_TRIPS} round trips are allowed")
    return problems


def main():
    place.clean_up_when_ended()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="runs of each of our actions; of the others' a third")
    given = parser.parse_args()
    place.enter()
    figures: dict[str, dict[str, list[Figures]]] = {}
    with place.place() as here:
        for kind in (elastic, private, overlay):
            subject = kind(here)
            # One start of the old agent with ten tables takes a minute.
            slow = 1 if kind is overlay else max(1, given.runs // 3)
            figures[subject.name] = compared(here, subject, given.runs, slow)
            print("\n".join([f"### {heading(subject.name)}", "", *table(figures[subject.name])]), flush=True)
    problems = [problem for name, rows in figures.items() for problem in broken(name, rows)]
    if problems:
        sys.exit("\n".join(problems))
    write(figures)


def write(figures: dict[str, dict[str, list[Figures]]]):
    lines = [line for name, rows in figures.items() for line in (f"### {heading(name)}", "", *table(rows))]
    text = DOCUMENT.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    DOCUMENT.write_text("\n".join([head + BEGIN, "", *lines]) + END + tail)
    shown = ("monitor", "takeover, 50 ms to EC2", "stop, 50 ms to EC2")
    groups = []
    for name, rows in figures.items():
        for action in shown:
            bars = []
            for row in rows[action]:
                took = row.moved if action.startswith("takeover") else row.wall
                bars.append((row.agent.split(",")[0], 1000 * statistics.median(took)))
            groups.append((f"{name}: {action}", bars))
    DRAWING.write_text(drawing.bars("Milliseconds, on a scale of powers of ten", groups))


if __name__ == "__main__":
    main()
