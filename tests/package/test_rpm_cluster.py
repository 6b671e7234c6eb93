"""The agent of the RPM, at the path where the RPM installed it, in a real Pacemaker cluster in network namespaces."""

import unittest

from machine import AGENT, CLUSTER_LIMIT, built, folder, needs, run
from roots import Root
from rpms import eip

SCENARIO = "kill-node"


@needs("rpm", "corosync", "pacemakerd", "pcs", root=True)
class Cluster(unittest.TestCase):
    def test_a_node_dies_and_the_installed_agent_takes_the_address_over(self):
        with folder() as place:
            root = Root(place / "root")
            root.unpack(eip())
            # A failed scenario saves its logs here, and their end is in the output.
            done = run(built("cluster"), "test", "--agent", root.at(AGENT), "--save", place / "logs", SCENARIO, limit=CLUSTER_LIMIT)
        self.assertIn(f"agent under test: {root.at(AGENT)}", done.stdout)
        self.assertIn("1 passed, 0 failed", done.stdout)


if __name__ == "__main__":
    unittest.main()
