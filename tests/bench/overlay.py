"""Our overlay-ip and the distribution's aws-vpc-move-ip, run alternately on the same simulator.

Measured, each as the median of several runs with minimum and maximum: the time from the start of the process until
every route table leads here, and from the first to the last of them; CPU time, memory and processes; calls to EC2 at rest.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/moto"))

import place  # noqa: E402: after the path
from place import OTHER_ACCOUNT, ROLE, Agent, Place, said  # noqa: E402

ROLE_ARN = f"arn:aws:iam::{OTHER_ACCOUNT}:role/{ROLE}"
TABLES = (1, 3, 10)
ROUND_TRIPS_MS = (0, 50)
# How often the old agent runs if one run takes more than a minute.
ONCE = 1
# If each run would take minutes, three tables are enough.
OLD_LIMIT_WITH_ROLE = 3


class Row(NamedTuple):
    """Figures of one agent in one situation, one from each run: seconds, MiB and numbers."""

    agent: str
    situation: str
    moved: list[float]
    spread: list[float]
    wall: list[float]
    cpu: list[float]
    memory: list[float]
    processes: int


def takeover(here: Place, agent: Agent, tables: int, role: bool, runs: int, on_record: bool) -> Row:
    """Takes the address from the other node, repeatedly."""
    # In a shared VPC the route's owner does not see the instance; the old agent needs `lookup_type`, which says what to compare.
    parameters = {"routing_table_role": ROLE_ARN, "lookup_type": "NetworkInterfaceId"} if role else {}
    moved, spread, wall, cpu, memory = [], [], [], [], []
    for _ in range(runs):
        here.route(tables, shared=role)
        here.take_off_device()
        if not on_record:
            here.forget()
        here.clear()
        outcome = agent.start(**parameters)
        if outcome.code != 0:
            sys.exit(f"{agent.kind}, {tables} tables: start ended with {outcome.code}: {outcome.stderr}{agent.said()}")
        # A call takes effect half a round trip before its response arrives.
        back = here.round_trip / 2
        orders = [entry["answered_at"] - back for entry in here.log("ReplaceRoute") if entry["status"] == 200]
        if len(orders) != tables or not here.is_on_device():
            sys.exit(f"{agent.kind}: {len(orders)} of {tables} routes moved, on the device: {here.is_on_device()}")
        moved.append(max(orders) - outcome.began)
        spread.append(max(orders) - min(orders))
        wall.append(outcome.wall)
        cpu.append(outcome.cpu)
        memory.append(outcome.memory)
        stopped = agent.stop(**parameters)
        if stopped.code != 0:
            sys.exit(f"{agent.kind}: stop ended with {stopped.code}: {stopped.stderr}")
    here.route(tables, shared=role)
    processes = agent.processes("start", **parameters)
    agent.stop(**parameters)
    known = "" if agent.kind != "overlay-ip" else ", on record" if on_record else ", first query"
    situation = f"{tables} {'table' if tables == 1 else 'tables'}{', with role' if role else ''}{known}"
    return Row(agent.kind, situation, moved, spread, wall, cpu, memory, processes)


def repeated(action: Callable[[], place.Outcome], runs: int) -> tuple[list[float], list[float]]:
    outcomes = [action() for _ in range(runs)]
    if any(outcome.code != 0 for outcome in outcomes):
        sys.exit(f"ended with {[outcome.code for outcome in outcomes]}: {outcomes[0].stderr}")
    return [outcome.wall for outcome in outcomes], [outcome.cpu for outcome in outcomes]


def calls_at_rest(here: Place, agent: Agent, **parameters: str) -> int:
    """Calls to EC2 during a minute of monitors every ten seconds, after one that may have queried it."""
    agent.monitor(**parameters)
    here.clear()
    began = time.monotonic()
    for number in range(1, 7):
        time.sleep(max(0.0, began + 10 * number - time.monotonic()))
        if agent.monitor(**parameters).code != 0:
            sys.exit(f"{agent.kind}: the monitor of a healthy address failed")
    return here.calls()


def table(title: str, rows: list[Row]) -> list[str]:
    lines = [
        f"### {title}",
        "",
        "| agent | situation | all tables moved after, ms | first to last, ms | action, ms | CPU, ms | memory, MiB | processes |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        cells = [row.agent, row.situation, said(row.moved), said(row.spread, 1), said(row.wall), said(row.cpu)]
        cells += [said(row.memory, 0, 1.0), str(row.processes)]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def measure(runs: int) -> list[str]:
    lines: list[str] = []
    problems: list[str] = []
    with place.place() as here:
        ours, old = place.overlay_agents(here)
        for round_trip in ROUND_TRIPS_MS:
            here.delay(round_trip)
            rows = []
            for role in (False, True):
                for tables in TABLES:
                    # In the settling window of its own start the agent queries first; here each start is long after the last one.
                    rows.append(takeover(here, Settled(ours), tables, role, runs, on_record=False))
                    rows.append(takeover(here, Settled(ours), tables, role, runs, on_record=True))
                    if not role or tables <= OLD_LIMIT_WITH_ROLE:
                        slow = tables > 1 or role
                        rows.append(takeover(here, old, tables, role, ONCE if slow else min(runs, 3), on_record=True))
            lines += table(f"Takeover, a round trip of {round_trip} ms to EC2", rows)
            problems += limits(rows, round_trip)
        here.delay(0)
        here.route(3)
        ours.start()
        lines += at_rest(here, ours, old, runs, problems)
    if problems:
        print("\n".join(lines))
        sys.exit("\n".join(problems))
    return lines


def limits(rows: list[Row], round_trip: int) -> list[str]:
    """The limits that are exceeded, in words."""
    problems = []
    by_name = {(row.agent, row.situation): row for row in rows}
    if round_trip == 50:
        moved = statistics.median(by_name["overlay-ip", "10 tables, on record"].moved)
        if moved > 1.5 * round_trip / 1000:
            problems.append(f"10 tables on record: moved after {1000 * moved:.0f} ms, 1.5 round trips are allowed")
        first = statistics.median(by_name["overlay-ip", "10 tables, first query"].moved)
        if first > 2.5 * round_trip / 1000:
            problems.append(f"10 tables at a first query: moved after {1000 * first:.0f} ms, 2.5 round trips are allowed")
    slow = statistics.median(by_name["aws-vpc-move-ip", "3 tables"].moved)
    fast = statistics.median(by_name["overlay-ip", "3 tables, on record"].moved)
    if slow < 20 * fast:
        problems.append(f"3 tables: {slow:.2f} s and {fast:.3f} s are no factor of 20")
    return problems


class Settled:
    """Our agent, long after its last start."""

    def __init__(self, agent: Agent):
        self.agent, self.kind = agent, agent.kind

    def start(self, **parameters: str) -> place.Outcome:
        return self.agent.start(settle_window="0", **parameters)

    def stop(self, **parameters: str) -> place.Outcome:
        return self.agent.stop(**parameters)

    def said(self) -> str:
        return self.agent.said()

    def processes(self, action: str, **parameters: str) -> int:
        return self.agent.processes(action, settle_window="0", **parameters)


def at_rest(here: Place, ours: Agent, old: Agent, runs: int, problems: list[str]) -> list[str]:
    lines = [
        "### Three tables, at rest, and stop",
        "",
        "| agent | monitor, ms | CPU, ms | EC2 calls a minute, monitor every 10 s | stop, ms |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    settled = {"settle_window": "0"}
    candidates = (("overlay-ip", ours, settled, runs), ("aws-vpc-move-ip", old, {}, runs), ("aws-vpc-move-ip, monapi=true", old, {"monapi": "true"}, 3))
    for name, agent, parameters, times in candidates:
        wall, cpu = repeated(lambda agent=agent, parameters=parameters: agent.monitor(**parameters), times)
        calls = calls_at_rest(here, agent, **parameters)
        stops = []
        for _ in range(times):
            here.clear()
            stopped = agent.stop(**parameters)
            stops.append(stopped.wall)
            if stopped.code != 0 or here.is_on_device():
                sys.exit(f"{name}: stop ended with {stopped.code}: {stopped.stderr}")
            if name == "overlay-ip" and here.log():
                problems.append(f"stop called the network: {here.log()}")
            # Puts it on the device again, without an agent: the old one would take a minute.
            place.ip("address", "add", f"{place.ADDRESS}/32", "dev", "eth0")
        lines.append(f"| {name} | {said(wall, 1)} | {said(cpu, 1)} | {calls} | {said(stops, 1)} |")
        if name == "overlay-ip" and calls > 2:
            problems.append(f"{calls} calls of EC2 in a minute of healthy monitors")
        if name == "overlay-ip" and statistics.median(stops) > 0.010:
            problems.append(f"stop took {1000 * statistics.median(stops):.1f} ms, 10 are allowed")
    return [*lines, ""]


if __name__ == "__main__":
    place.clean_up_when_ended()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="runs of each measurement; the old agent makes fewer if one takes minutes")
    given = parser.parse_args()
    place.enter()
    print("\n".join(measure(given.runs)))
