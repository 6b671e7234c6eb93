"""docs/behaviour.md: each rule has its own id and a test that cites it, and tests cite only rules that exist."""

import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULE = re.compile(r"^(?:- |\| )\*\*\[([a-z]+-\d+)\]\*\*", re.MULTILINE)
ID = re.compile(r"\[([a-z]+-\d+)\]")
# A comment, up to the end of its line: of Rust, or of Python and shell.
COMMENT = {".rs": re.compile(r"//.*"), ".py": re.compile(r"#.*"), ".sh": re.compile(r"#.*")}
# The beginning of a source file's tests.
TESTS = re.compile(r"^#\[cfg\((?:test|all\(test)", re.MULTILINE)


def rules(text: str) -> list[str]:
    """The ids of the rules, in order."""
    return RULE.findall(text)


def tests_of(path: Path, text: str) -> str:
    """The part of a file that is tests: all of it in a folder or file of tests, otherwise what follows `#[cfg(test)]`."""
    names = {part.removesuffix(".rs") for part in path.parts}
    if "tests" in names:
        return text
    begin = TESTS.search(text)
    return text[begin.start() :] if begin else ""


def cited(path: Path, text: str) -> set[str]:
    """The ids in the comments of a file's tests."""
    comments = COMMENT[path.suffix].findall(tests_of(path, text))
    return {found for comment in comments for found in ID.findall(comment)}


def citations() -> dict[str, set[str]]:
    """Each id that a test cites, with the files that cite it."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "src", "tests", "packaging"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()
    found: dict[str, set[str]] = {}
    for path in map(Path, names):
        # The ids in this file are examples.
        if path.suffix in COMMENT and path.name != "test_behaviour.py" and (ROOT / path).is_file():
            for rule in cited(path, (ROOT / path).read_text()):
                found.setdefault(rule, set()).add(str(path))
    return found


class Behaviour(unittest.TestCase):
    def setUp(self):
        self.text = (ROOT / "docs/behaviour.md").read_text()

    def test_every_rule_has_an_id_of_its_own(self):
        found = rules(self.text)
        self.assertGreater(len(found), 100)
        self.assertEqual([rule for rule in set(found) if found.count(rule) > 1], [])

    def test_every_id_in_the_document_is_a_rule(self):
        self.assertEqual(set(ID.findall(re.sub(r"`[^`\n]*`", "", self.text))) - set(rules(self.text)), set())

    def test_every_cited_rule_exists(self):
        known = set(rules(self.text))
        unknown = {rule: files for rule, files in citations().items() if rule not in known}
        self.assertEqual(unknown, {})

    def test_every_rule_is_cited_by_a_test(self):
        known = citations()
        self.assertEqual([rule for rule in rules(self.text) if rule not in known], [])

    def test_what_is_not_a_citation_is_distinguished_from_one(self):
        source = "/// [stop-1] of a function\nfn f() {}\n#[cfg(test)]\nmod tests {\n    /// [stop-2] [stop-3]\n    fn t() { x[len-1]; }\n}\n"
        self.assertEqual(cited(Path("src/stop.rs"), source), {"stop-2", "stop-3"})
        self.assertEqual(cited(Path("src/stop/tests.rs"), "// [stop-1]\n"), {"stop-1"})
        self.assertEqual(rules("- **[stop-1]** a\n| **[code-2]** | b |\nsee [stop-9]\n"), ["stop-1", "code-2"])


if __name__ == "__main__":
    unittest.main()
