"""The defects of aws-vpc-move-ip, each tried on it and on our overlay-ip: others have reproduced 16 of them before.

The old agent is the distribution's, with the AWS CLI from PyPI. Its `sleep` does nothing here: `overlay.py` measures what its pauses cost.
If the old agent no longer has a defect, the test fails, too: then correct the table in docs/from-aws-vpc-move-ip.md.
"""

import contextlib
import re
import subprocess
import time
import unittest
from collections.abc import Callable

import place
from place import ADDRESS, HERE, INTERFACES, OTHER_ACCOUNT, ROLE, SECOND_INTERFACE, Agent, Place

DENIED = {"error": {"status": 403, "code": "UnauthorizedOperation", "message": "You are not authorized"}}
UNAVAILABLE = {"error": {"status": 503, "code": "Unavailable", "message": "Unavailable"}}
ROLE_ARN = f"arn:aws:iam::{OTHER_ACCOUNT}:role/{ROLE}"
IN_ROLE = {"routing_table_role": ROLE_ARN, "lookup_type": "NetworkInterfaceId"}
OURS = INTERFACES[HERE]
# Makes our agent query EC2 at each monitor, like the old one with monapi.
ASKING = {"monapi": "true", "route_check_interval": "0", "settle_window": "0"}
PATIENCE = {"OCF_RESKEY_CRM_meta_timeout": "20000"}


def held(here: Place, agent: Agent, tables: int = 1, **parameters: str):
    """Makes the agent hold the address; its calls so far do not count."""
    here.route(tables, to=OURS, shared="routing_table_role" in parameters)
    assert agent.start(**parameters).code == 0, agent.said()
    here.clear()


def all_but_the_first_refused(here: Place):
    here.fault("ReplaceRoute", DENIED, skip=1)


def tables_after_a_refused_one_are_not_tried(here: Place, agent: Agent) -> bool:
    here.route(3)
    all_but_the_first_refused(here)
    assert agent.start(**PATIENCE).code != 0
    return {entry["params"]["RouteTableId"] for entry in here.log("ReplaceRoute")} != set(here.tables)


def a_refused_order_behind_a_role_is_not_seen(here: Place, agent: Agent) -> bool:
    here.route(3, shared=True)
    all_but_the_first_refused(here)
    outcome = agent.start(**PATIENCE, **IN_ROLE)
    assert outcome.code != 0
    return not any(line.startswith("ocf-exit-reason") and "ReplaceRoute" in line for line in outcome.stderr.splitlines())


def a_refused_role_is_replaced_by_the_nodes_own(here: Place, agent: Agent) -> bool:
    here.route(1)
    here.settings(deny=["AssumeRole"])
    return agent.start(**PATIENCE, **IN_ROLE).code == 0


def an_error_of_the_api_reads_as_not_running(here: Place, agent: Agent) -> bool:
    held(here, agent)
    here.fault("DescribeRouteTables", UNAVAILABLE)
    return agent.monitor(**ASKING, **PATIENCE).code == 7


def a_stop_during_an_outage_leaves_the_address(here: Place, agent: Agent) -> bool:
    held(here, agent)
    here.fault("DescribeRouteTables", UNAVAILABLE)
    assert agent.stop(**ASKING, **PATIENCE).code == 0
    return here.is_on_device()


def a_stop_with_the_link_down_leaves_the_address(here: Place, agent: Agent) -> bool:
    held(here, agent)
    place.ip("link", "set", "eth0", "down")
    try:
        assert agent.stop().code == 0
        return here.is_on_device()
    finally:
        place.ip("link", "set", "eth0", "up")


def silence_of_the_metadata_reads_as_not_running(here: Place, agent: Agent) -> bool:
    held(here, agent)
    here.settings(instance=HERE, imds_state="refuse")
    return agent.monitor(lookup_type="NetworkInterfaceId", **ASKING, **PATIENCE).code == 7


def a_route_that_was_taken_is_never_noticed(here: Place, agent: Agent) -> bool:
    held(here, agent)
    here.route(1)
    return agent.monitor(route_check_interval="0", settle_window="0").code == 0


def a_blackhole_is_not_even_mentioned(here: Place, agent: Agent) -> bool:
    held(here, agent)
    here.route(1, to=OURS, blackhole=True)
    agent.monitor(**ASKING)
    return "blackhole" not in agent.said()


def without_route_tables_a_start_succeeds(here: Place, agent: Agent) -> bool:
    here.route(1)
    return agent.start(routing_table="").code == 0


def without_an_address_the_parameters_are_valid(here: Place, agent: Agent) -> bool:
    here.route(1, to=OURS)
    return agent.validate(ip="").code == 0


def a_missing_route_fails_without_a_reason(here: Place, agent: Agent) -> bool:
    here.route(1, to=None)
    outcome = agent.start(**PATIENCE)
    assert outcome.code != 0
    return "ocf-exit-reason" not in outcome.stderr


def a_route_to_another_interface_of_this_node_is_good_enough(here: Place, agent: Agent) -> bool:
    held(here, agent)
    here.route(1, to=SECOND_INTERFACE)
    return agent.monitor(**ASKING).code == 0


def a_label_that_is_too_long_passes(here: Place, agent: Agent) -> bool:
    here.route(1)
    return agent.validate(iflabel="abcdefghijklmnopqrstuvwxy").code == 0


def a_device_that_is_not_eth0_has_to_be_named(here: Place, agent: Agent) -> bool:
    here.route(1)
    rename("eth0", "ens5")
    try:
        return agent.start(without="interface").code != 0
    finally:
        rename("ens5", "eth0")


def what_validation_found_is_ignored(here: Place, agent: Agent) -> bool:
    held(here, agent)
    return agent.validate(profile="").code != 0 and agent.monitor(profile="").code == 0


def no_reason_for_a_failure_of_ec2(here: Place, agent: Agent) -> bool:
    here.route(1)
    here.settings(deny=["ReplaceRoute"])
    outcome = agent.start(**PATIENCE)
    assert outcome.code != 0
    return "ocf-exit-reason" not in outcome.stderr


def a_start_takes_the_address_off_the_device_for_a_moment(here: Place, agent: Agent) -> bool:
    held(here, agent)
    here.route(1)
    with subprocess.Popen(["ip", "monitor", "address"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as watcher:
        time.sleep(0.3)
        agent.start(settle_window="0")
        watcher.terminate()
        told = watcher.stdout.read()
    return "Deleted" in told and ADDRESS in told


def rename(old: str, new: str):
    place.ip("link", "set", old, "down")
    place.ip("link", "set", old, "name", new)
    place.ip("link", "set", new, "up")


# By their numbers in the document's table.
DEFECTS: dict[int, Callable[[Place, Agent], bool]] = {
    1: tables_after_a_refused_one_are_not_tried,
    3: a_refused_order_behind_a_role_is_not_seen,
    4: a_refused_role_is_replaced_by_the_nodes_own,
    6: an_error_of_the_api_reads_as_not_running,
    7: a_stop_during_an_outage_leaves_the_address,
    8: a_stop_with_the_link_down_leaves_the_address,
    10: silence_of_the_metadata_reads_as_not_running,
    11: a_route_that_was_taken_is_never_noticed,
    12: a_blackhole_is_not_even_mentioned,
    13: without_route_tables_a_start_succeeds,
    14: without_an_address_the_parameters_are_valid,
    15: a_missing_route_fails_without_a_reason,
    16: a_route_to_another_interface_of_this_node_is_good_enough,
    17: a_label_that_is_too_long_passes,
    18: a_device_that_is_not_eth0_has_to_be_named,
    19: what_validation_found_is_ignored,
    21: no_reason_for_a_failure_of_ec2,
    22: a_start_takes_the_address_off_the_device_for_a_moment,
}


class Defects(unittest.TestCase):
    """One test for each, added below."""

    @classmethod
    def setUpClass(cls):
        place.enter()
        running = contextlib.ExitStack()
        cls.addClassCleanup(running.close)
        cls.here = running.enter_context(place.place(second_interface=True))
        cls.ours, cls.old = place.overlay_agents(cls.here)
        stand_ins = cls.here.folder / "stand-ins"
        stand_ins.mkdir()
        (stand_ins / "sleep").write_text("#!/bin/sh\n")
        (stand_ins / "sleep").chmod(0o755)
        cls.old.environment["PATH"] = f"{stand_ins}:{cls.old.environment['PATH']}"


    def test_the_document_says_which_are_tried(self):
        text = (place.REPOSITORY / "docs/from-aws-vpc-move-ip.md").read_text()
        rows = re.findall(r"^\| (\d+) \|.*\| (\w*) ?\|$", text, re.MULTILINE)
        self.assertEqual([str(number) for number in range(1, 23)], [number for number, _ in rows])
        self.assertEqual([str(number) for number in DEFECTS], [number for number, how in rows if how == "tried"])


def tries(defect: Callable[[Place, Agent], bool]):
    def test(self):
        for agent, has_it in ((self.old, True), (self.ours, False)):
            with self.subTest(agent.kind):
                self.here.start_over()
                self.assertEqual(has_it, defect(self.here, agent), agent.said()[-2000:])

    return test


for number, each in DEFECTS.items():
    setattr(Defects, f"test_{number:02}_{each.__name__}", tries(each))


if __name__ == "__main__":
    unittest.main()
