"""How many instructions the built agent executes, counted by callgrind, whose result does not depend on the load.

The figures are in instructions.json, for the binary that `make agent` builds. After an intended change, `python3 -B tests/bench/test_instructions.py`
updates them (as root).
"""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import performance
import place
from place import HERE

RECORD = Path(__file__).with_name("instructions.json")
ALLOWED = 0.10


def instructions(command: list[str], environment: dict[str, str], wanted: int) -> int:
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command]
    done = subprocess.run(valgrind, env=environment, capture_output=True, text=True, timeout=120)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != wanted or not found:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return int(found[1])


def counted() -> dict[str, int]:
    """The instructions of meta-data, and of a monitor that finds an address of each kind on this node."""
    place.enter()
    figures = {}
    with place.place() as here:
        for kind in (performance.elastic, performance.private, performance.overlay):
            subject = kind(here)
            agent = subject.ours
            subject.give(HERE)
            performance.ran(agent, "start", **performance.SETTLED)
            environment = agent.environment | agent.given({**performance.SETTLED, "OCF_RESKEY_CRM_meta_interval": "10000"})
            # The first one may have something to record.
            performance.ran(agent, "monitor", **performance.SETTLED)
            figures[f"{agent.kind} monitor"] = instructions([str(agent.program), "monitor"], environment, 0)
            figures[f"{agent.kind} meta-data"] = instructions([str(agent.program), "meta-data"], dict(os.environ), 0)
    return figures


class Instructions(unittest.TestCase):
    def test_no_action_takes_more_or_fewer_than_on_record(self):
        record = json.loads(RECORD.read_text())
        figures = counted()
        self.assertEqual(record.keys(), figures.keys())
        for action, count in figures.items():
            with self.subTest(action):
                ratio = count / record[action]
                self.assertLess(abs(ratio - 1), ALLOWED, f"{count:,} instructions, {record[action]:,} on record")


if __name__ == "__main__":
    RECORD.write_text(json.dumps(counted(), indent=4) + "\n")
    sys.stdout.write(RECORD.read_text())
