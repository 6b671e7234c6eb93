"""The lists in README.md and CONTRIBUTING.md are complete: commands, documents, exit codes, folders."""

import os
import re
import subprocess
import unittest
from pathlib import Path
from xml.etree import ElementTree

import markdown
import servers

ROOT = markdown.ROOT
README = ROOT / "README.md"
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}


def section(document: Path, heading: str) -> str:
    """A section with its subsections, without its heading."""
    level, text = heading.split(" ")[0], "\n" + document.read_text()
    after = text[text.index(f"\n{heading}\n") + len(heading) + 2 :]
    return re.split(rf"^#{{1,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def commands() -> set[str]:
    """The commands of eipctl, as listed by the program itself."""
    # The name in argv[0] selects eipctl.
    told = subprocess.run(
        ["eipctl", "--help"], executable=servers.built("eip"), env={"PATH": os.defpath}, capture_output=True, text=True, check=True, timeout=30,
    )
    listed = re.search(r"^Commands:\n(.*?)\n\n", told.stdout, re.MULTILINE | re.DOTALL)[1]
    return set(re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE)) - {"help"}


def figures() -> dict[str, tuple[int, set[str]]]:
    """For each action: the number of calls in its first row of the fault matrix, and all exit codes that it had there."""
    found: dict[str, tuple[int, set[str]]] = {}
    row = r"^(?:\| \w+ )?\| ([^|]+) \| (\d+) \| \d+ \|[^|]*\|[^|]*\|([^|]*)\|$"
    rows = re.findall(row, section(ROOT / "docs/RELIABILITY.md", "### Figures"), re.MULTILINE)
    for name, calls, codes in rows:
        action = re.split(r"[ ,]", name)[0].replace("probe", "monitor")
        first, seen = found.get(action, (int(calls), set()))
        found[action] = (first, seen | set(re.findall(r"(\d): ", codes)))
    return found


class Readme(unittest.TestCase):
    def test_every_command_of_eipctl_is_listed(self):
        listed = re.findall(r"^    eipctl ([a-z]+)", section(README, "## eipctl"), re.MULTILINE)
        self.assertEqual(sorted(commands()), sorted(listed))

    def test_every_document_is_linked(self):
        linked = {(ROOT / link.partition("#")[0]).resolve() for link in markdown.links(section(README, "## Documents"))}
        self.assertEqual(set(), set((ROOT / "docs").glob("*.md")) - linked)

    def test_every_exit_code_is_listed_with_every_action_that_had_it(self):
        told = {code: actions for code, actions in re.findall(r"^\| (\d) \| ([^|]+) \|", section(README, "## Exit codes"), re.MULTILINE)}
        self.assertEqual([str(code) for code in range(8)], list(told))
        seen = figures()
        self.assertLessEqual({"start", "stop", "monitor", "validate-all", "migrate_to", "migrate_from"}, set(seen))
        for action, (_, codes) in seen.items():
            for code in codes:
                with self.subTest(code=code, action=action):
                    named = re.split(r"[, ]+", told[code])
                    self.assertTrue({action, "all", "any"} & set(named), f"the fault matrix has {action} with {code}; README: {told[code]}")


class MoveIp(unittest.TestCase):
    def test_the_parameters_without_an_effect_are_those_of_the_meta_data(self):
        told = re.search(r"([^.\n]+) are accepted and have no effect", (ROOT / "docs/from-aws-vpc-move-ip.md").read_text())[1]
        parameters = ElementTree.parse(ROOT / "ocf/overlay-ip.xml").iterfind("parameters/parameter")
        without = {one.get("name") for one in parameters if one.findtext("shortdesc").endswith("(no effect)")}
        self.assertEqual(without, set(re.findall(r"`([^`]+)`", told)))


class Contributing(unittest.TestCase):
    def test_every_folder_has_its_place_in_the_table(self):
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
        folders = {f"{name.split('/')[0]}/" for name in listed if "/" in name}
        for inside in ("src", "tests"):
            folders |= {"/".join(name.split("/")[:2]) + "/" for name in listed if name.startswith(f"{inside}/") and name.count("/") > 1}
        # The tour describes their contents; CI configuration is not part of it.
        folders -= {"src/", "tests/", ".ci/", ".github/"}
        rows = re.findall(r"^\| (`[^|]+`) \|", section(ROOT / "CONTRIBUTING.md", "# Tour of the code"), re.MULTILINE)
        named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
        # Only the first folder of a row has its full path.
        named |= {f"src/{name}" for name in named}
        self.assertEqual(set(), folders - named)

    def test_the_floors_are_listed_in_the_order_that_is_checked(self):
        checked = re.search(r"^FLOORS = (\[.*\])$", (ROOT / "tests/check/floors").read_text(), re.MULTILINE)[1]
        rows = re.findall(r"^\| `src/([^|]+) \|", section(ROOT / "CONTRIBUTING.md", "# Tour of the code"), re.MULTILINE)
        listed = [name for row in rows for name in re.findall(r"(\w+)(?:/|\.rs)`", row)]
        # lib.rs only declares the others.
        self.assertEqual([name for name in re.findall(r"\w+", checked) if name != "lib"], listed)


class Figures(unittest.TestCase):
    def test_the_calls_of_a_healthy_monitor_are_those_that_were_counted(self):
        counted = figures()["monitor"][0]
        hour = section(ROOT / "docs/how-it-works.md", "## A healthy hour")
        told = {"docs/how-it-works.md": re.search(r"makes (\w+) requests to the metadata service", hour)[1]}
        for script in (ROOT / "pcs-examples").glob("*/fast.sh"):
            told[str(script.relative_to(ROOT))] = re.search(r"a healthy monitor .*?: (\w+) calls", script.read_text())[1]
        self.assertEqual(4, len(told))
        for place, word in told.items():
            with self.subTest(place):
                self.assertEqual(counted, NUMBERS[word])

    def test_tests_of_the_built_agent_are_run_where_it_is(self):
        for document in markdown.documents():
            text = document.read_text()
            if re.search(r"cargo test [^\n`]*-p agent-tests", text):
                with self.subTest(document.name):
                    # Without this variable they would look for the agent in another folder.
                    self.assertIn("CARGO_TARGET_DIR", text)


if __name__ == "__main__":
    unittest.main()
