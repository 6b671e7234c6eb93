"""tests/check/floors finds what it is meant to find."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLOORS = ["main", "lib", "face", "world", "resource", "cloud", "state", "network", "host", "ocf", "params", "base"]
WORLD = (ROOT / "src/world.rs").read_text()


class TestFloors(unittest.TestCase):
    def check(self, **changed):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "src"
            source.mkdir()
            for name in FLOORS:
                (source / f"{name}.rs").write_text(changed.pop(name, WORLD if name == "world" else ""))
            for name, text in changed.items():
                (source / f"{name}.rs").write_text(text)
            command = [sys.executable, "-B", ROOT / "tests/check/floors", folder]
            return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_a_floor_that_knows_only_lower_ones_passes(self):
        outcome = self.check(resource="use crate::{base::log, cloud::{Ec2, Imds}};", face="crate::world::build()")
        self.assertEqual(outcome.returncode, 0, outcome.stdout)

    def test_a_floor_that_knows_a_higher_one_is_named(self):
        for text in ["use crate::resource::Error;", "use crate::{base::log, resource::Error};", "crate::resource::f()"]:
            outcome = self.check(cloud=text)
            self.assertEqual(outcome.returncode, 1, text)
            self.assertIn("cloud knows resource", outcome.stdout)

    def test_a_client_built_outside_the_composition_root_is_named(self):
        outcome = self.check(face="let ec2 = AwsEc2::new(settings);")
        self.assertIn("AwsEc2::new outside world.rs", outcome.stdout)

    def test_a_guarded_name_that_is_gone_is_named(self):
        outcome = self.check(world=WORLD.replace("Generations::new", "Turns::new"))
        self.assertEqual((1, 1), (outcome.returncode, outcome.stdout.count("\n")), outcome.stdout)
        self.assertIn("no Generations::new", outcome.stdout)

    def test_a_module_without_a_floor_is_named(self):
        self.assertIn("helpers has no floor", self.check(helpers="").stdout)


if __name__ == "__main__":
    unittest.main()
