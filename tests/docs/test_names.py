"""tests/check/names finds what it is meant to find."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class TestNames(unittest.TestCase):
    def check(self, **files):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["git", "init", "--quiet", folder], check=True)
            for name, text in files.items():
                (pathlib.Path(folder) / f"{name}.rs").write_text(text)
            command = [sys.executable, "-B", ROOT / "tests/check/names", folder]
            return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_types_with_names_of_their_own_pass(self):
        outcome = self.check(one="pub struct Request;\n", two="pub(crate) enum Answer {}\n")
        self.assertEqual((outcome.returncode, outcome.stdout), (0, "2 types, each with a name of its own\n"))

    def test_a_name_of_two_types_is_listed_with_both_places(self):
        for other in ["enum Request {}\n", "pub trait Request {}\n", "type Request = u8;\n", "mod tests {\n    struct Request;\n}\n"]:
            outcome = self.check(one="struct Request;\n", two=other)
            self.assertEqual(outcome.returncode, 1, other)
            self.assertRegex(outcome.stdout, r"^Request: one\.rs:1 two\.rs:[12]\n$")

    def test_a_type_that_a_trait_names_is_not_counted(self):
        implementation = "impl Kind for {0} {{\n    type Params = u8;\n}}\n"
        self.assertEqual(self.check(one="struct A;\n" + implementation.format("A"), two=implementation.format("B")).returncode, 0)

    def test_a_folder_without_types_does_not_pass(self):
        self.assertEqual(self.check(one="fn main() {}\n").returncode, 1)


if __name__ == "__main__":
    unittest.main()
