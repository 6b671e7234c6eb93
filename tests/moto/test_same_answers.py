"""Compares the responses of moto and aws-sim to the same operations.

If both agree, that is worth more than the response of one: moto is other people's work. If they differ, `deviations.py` has to say why.
"""

import contextlib
import fnmatch
import tempfile
import unittest
from pathlib import Path
from typing import NamedTuple

import servers
import worlds
from deviations import DEVIATIONS, Deviation
from sequences import SEQUENCES
from session import ABSENT, OK, Session


class Difference(NamedTuple):
    sequence: str
    step: str
    field: str
    moto: object
    sim: object

    def __str__(self):
        return f"{self.sequence}, {self.step}, {self.field}: moto {self.moto!r}, aws-sim {self.sim!r}"

    def is_named_by(self, row: Deviation) -> bool:
        where = zip((self.sequence, self.step, self.field), (row.sequence, row.step, row.field), strict=True)
        what = ((self.moto, row.moto), (self.sim, row.ec2))
        return all(fnmatch.fnmatchcase(text, pattern) for text, pattern in where) and all(
            (value != ABSENT) if said is None else (value == said) for value, said in what
        )


def differences(sequence: str, moto: Session, sim: Session) -> list[Difference]:
    found = []
    for step in {**moto.steps, **sim.steps}:
        one, other = moto.steps.get(step, {}), sim.steps.get(step, {})
        # If one refuses, the fields of the other's response mean nothing.
        both_answered = one.get("outcome") == other.get("outcome") == OK
        for field in {**one, **other} if both_answered else ["outcome"]:
            values = one.get(field, ABSENT), other.get(field, ABSENT)
            if values[0] != values[1]:
                found.append(Difference(sequence, step, field, *values))
    return found


class SameAnswers(unittest.TestCase):
    """One test for each sequence, added below."""

    found: dict[str, list[Difference]] = {}

    @classmethod
    def setUpClass(cls):
        running = contextlib.ExitStack()
        cls.addClassCleanup(running.close)
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        moto = running.enter_context(servers.moto(folder))
        sim, _ = running.enter_context(servers.aws_sim(folder))
        for sequence in SEQUENCES:
            sessions = (
                Session(moto, worlds.moto_world(moto), worlds.allocate_in_moto),
                Session(sim, worlds.sim_world(sim), worlds.allocate_in_sim),
            )
            for session in sessions:
                sequence(session)
            cls.found[sequence.__name__] = differences(sequence.__name__, *sessions)

    def test_every_listed_deviation_still_shows(self):
        every = [difference for found in self.found.values() for difference in found]
        gone = [row for row in DEVIATIONS if not any(difference.is_named_by(row) for difference in every)]
        if gone:
            self.fail("moto changed, or aws-sim did: remove these rows from deviations.py\n" + "\n".join(map(str, gone)))


def compares(name: str):
    def test(self):
        unlisted = [one for one in self.found[name] if not any(one.is_named_by(row) for row in DEVIATIONS)]
        if unlisted:
            self.fail("not in deviations.py:\n" + "\n".join(map(str, unlisted)))

    return test


for each in SEQUENCES:
    setattr(SameAnswers, f"test_{each.__name__}", compares(each.__name__))
