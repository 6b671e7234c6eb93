"""tests/check/circles finds what it is meant to find."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class TestCircles(unittest.TestCase):
    def check(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder) / "src" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            command = [sys.executable, "-B", ROOT / "tests/check/circles", folder]
            outcome = subprocess.run(command, capture_output=True, text=True, check=False)
            return outcome.returncode, outcome.stdout.strip()

    def test_modules_that_build_on_each_other_pass(self):
        files = {"a/mod.rs": "pub mod b;\npub mod c;\npub use b::Base;", "a/b.rs": "", "a/c.rs": "use super::Base;"}
        self.assertEqual(self.check(files), (0, "3 modules know each other 1 times, and nowhere in a circle"))

    def test_a_circle_is_named_however_it_is_written(self):
        for back in ["use super::c::{self, D};", "use crate::{x, a::c::D};", "fn f() { super::c::d() }", "use crate::a::D as E;"]:
            files = {"lib.rs": "mod a; mod x;", "x.rs": "", "a/mod.rs": "pub mod b;\npub mod c;\npub use c::D;"}
            files |= {"a/b.rs": back, "a/c.rs": "use super::b::{\n    Base,\n};"}
            self.assertEqual(self.check(files), (1, "a circle: a::b knows a::c knows a::b"), back)

    def test_a_parent_that_knows_a_child_that_knows_it_is_a_circle(self):
        for child in ["use super::Parent;", "use crate::a::Parent;"]:
            for parent in ["use b::Child;", "use self::b::Child;", "fn f() { b::child() }"]:
                files = {"lib.rs": "", "a/mod.rs": f"mod b;\n{parent}", "a/b.rs": child}
                self.assertEqual(self.check(files)[0], 1, (child, parent))

    def test_a_detour_is_found_and_tests_and_comments_do_not_count(self):
        files = {"a.rs": "use crate::b::B;", "b.rs": "use crate::c::C;", "c.rs": "// use crate::a::A;"}
        files["c.rs"] += "\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}"
        self.assertEqual(self.check(files)[0], 0)
        files["c.rs"] = "use crate::a::A;"
        self.assertEqual(self.check(files), (1, "a circle: a knows b knows c knows a"))

    def test_sources_without_an_import_are_not_what_it_was_called_for(self):
        self.assertEqual(self.check({"a.rs": ""}), (1, "no imports found"))


if __name__ == "__main__":
    unittest.main()
