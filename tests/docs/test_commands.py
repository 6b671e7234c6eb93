"""Commands in the documents exist: make targets, commands and options of eipctl, parameters of the agents."""

import functools
import itertools
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import markdown

ROOT = markdown.ROOT
AGENT = pathlib.Path(os.environ["CARGO_TARGET_DIR"]) / "release/eip"


def targets() -> set[str]:
    """The make targets."""
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][a-z0-9-]*):(?!=)", text, re.MULTILINE)) | {"help"}


def workflow_commands() -> list[tuple[str, str]]:
    """The commands of the workflows, each with the name of its file."""
    files = sorted((ROOT / ".github/workflows").glob("*.yml"))
    return [(path.name, run) for path in files for run in re.findall(r"^ +(?:- )?run: (.*)$", path.read_text(), re.MULTILINE)]


def parameters() -> set[str]:
    """The agents' parameters, from their tables."""
    tables = [path for path in (ROOT / "src/params").rglob("*.rs") if "table" in str(path)]
    return {name for table in tables for name in re.findall(r'\bname: "(\w+)"', table.read_text())}


def eipctl() -> dict[str, set[str]]:
    """The commands of eipctl with their options, from its help."""
    def told(*words: str) -> str:
        return subprocess.run(["eipctl", *words, "--help"], executable=AGENT, capture_output=True, text=True, check=True).stdout

    commands = re.findall(r"^  (\w+) +[A-Z]", told().partition("\nCommands:\n")[2], re.MULTILINE)
    return {name: set(re.findall(r"--([a-z-]+)", told(name))) for name in commands if name != "help"}


# Commands that not every version of the cluster's software has, with the version that must be named near them.
SINCE = (
    (r"crm_resource .*--validate=\d", "2.1.1"),
    (r"crm_resource .*--force-check=\d", "2.1.1"),
    (r"crm_resource .*--validate .*--class", "2.0.2"),
    (r"crm_resource .*--validate .*(-r|--resource) ", "1.1.17"),
    (r"crm_mon .*--output-as", "2.0.3"),
    (r"pcs resource config|pcs node (un)?standby|pcs host auth|pcs cluster config", "0.10"),
    (r"pcs cluster (un)?standby|pcs resource show|pcs cluster auth", "0.9"),
    (r"pcs resource refresh", "7.5"),
    (r"crm_resource .*--refresh", "7.5"),
)
CRMSH = pathlib.Path("/usr/share/crmsh/crm.8.adoc")
# How near, in lines.
BESIDE = 6


def without_version(text: str) -> list[str]:
    """Commands of the cluster's software in a text for which the required version is not named nearby."""
    text = re.sub(r"\s*\\\n\s*", " ", text).replace("\\-", "-")
    found, all_lines = [], text.split("\n")
    for number, line in enumerate(all_lines):
        for command, version in SINCE:
            around = all_lines[max(0, number - BESIDE):number + BESIDE + 1]
            if re.search(command, line) and not any(version in other for other in around):
                found.append(f"{version}: {line.strip()}")
    return found


@functools.cache
def listed(program: str, section: str) -> list[list[str]]:
    """The commands of the installed pcs or crmsh in one of its sections, in words."""
    if program == "crm":
        # The files that `crm help` reads, which takes it seconds.
        return [[name] for name in re.findall(rf"^\[\[cmdhelp[_.]{section}[_.]([\w-]+)", CRMSH.read_text(), re.MULTILINE)]
    told = subprocess.run([program, section, "help"], capture_output=True, text=True, check=False).stdout
    commands = [re.split(r" [<\[(]| \w+=", line.strip())[0].split() for line in told.split("\n") if re.match(r" {4}\S", line)]
    return [words for words in commands if words]


def is_listed(program: str, section: str, *words: str) -> bool:
    return any(names == list(words[:len(names)]) for names in listed(program, section))


def lines() -> list[tuple[str, str]]:
    """Each piece of code in the documents, with the name of its document."""
    found = []
    for document in markdown.documents():
        if document.name != "CHANGELOG.md":
            found += [(document.name, line) for line in markdown.code(document.read_text())]
    return found


def calls(line: str, program: str) -> list[list[str]]:
    """The words after each call of a program in a shell line."""
    found = []
    for command in re.split(r"&&|\||\$\(", line.split(" #")[0]):
        words = command.split()
        while words and (words[0] in {"sudo", "$", "#", "&&"} or re.fullmatch(r"\w+=\S*", words[0])):
            words.pop(0)
        if words and words[0].rpartition("/")[2] == program:
            found.append(words[1:])
    return found


def set_by(line: str) -> list[str]:
    """The parameters of our agents that a command sets."""
    words = re.sub("['\"]", "", line).split()
    found = [word.removeprefix("OCF_RESKEY_") for word in words if re.match("OCF_RESKEY_(?!CRM_meta_)", word)]
    if re.search(r"(crm_resource|ocf-tester)\b.*\beip", line):
        found += [value for option, value in itertools.pairwise(words) if option in {"-o", "--option"}]
    if named := re.search(r"ocf:heartbeat:(?:eip|vip|overlay-ip|eip-health) (.*)", " ".join(words)):
        # The rest does not concern the agent, but its operations and the cluster.
        others = {"op", "meta", "clone", "--group", "bundle", "utilization"}
        found += itertools.takewhile(lambda word: word not in others, named[1].split())
    return [word.partition("=")[0] for word in found if "=" in word]


class Commands(unittest.TestCase):
    def test_targets_of_make_exist(self):
        known, seen = targets(), 0
        for place, line in lines() + workflow_commands():
            for words in calls(line, "make"):
                for word in words:
                    if re.fullmatch(r"[a-z][a-z0-9-]*", word):
                        seen += 1
                        self.assertIn(word, known, f"{place}: {line}")
        self.assertGreater(seen, 5)

    def test_workflows_only_call_make(self):
        """Except for installing what the README expects of a machine."""
        runs = [run for _, run in workflow_commands()]
        self.assertGreater(len(runs), 4)
        self.assertEqual([run for run in runs if not re.match(r"make |dnf --assumeyes install ", run)], [])
        self.assertEqual([run for run in runs if re.search(r"[;&|]", run)], [])

    def test_commands_and_options_of_eipctl_exist(self):
        known, seen = eipctl(), 0
        self.assertLessEqual({"status", "show", "check", "claim", "release", "policy", "history", "restore", "drill", "assign"}, set(known))
        for place, line in lines():
            for words in calls(line, "eipctl"):
                words = [word.strip(",.") for word in words]
                if not words or words[0] in {"help", "--help", "--version"} or not words[0].isalpha() or words[0].isupper():
                    continue
                seen += 1
                self.assertIn(words[0], known, f"{place}: {line}")
                for word in words[1:]:
                    if word.startswith("--"):
                        option = word[2:].partition("=")[0]
                        self.assertIn(option, known[words[0]], f"{place}: {line}")
        self.assertGreater(seen, 5)

    def test_commands_that_not_every_pacemaker_or_pcs_knows_name_their_version(self):
        pages = sorted((ROOT / "packaging/man").rglob("*.[78]"))
        self.assertGreater(len(pages), 3)
        for document in [*markdown.documents(), *pages]:
            if document.name != "CHANGELOG.md":
                with self.subTest(document=document.name):
                    self.assertEqual([], without_version(document.read_text()))

    def test_scripts_for_centos_7_note_what_was_another_command_before_7_5(self):
        texts = [script.read_text() for script in (ROOT / "pcs-examples/pcs-0.9").glob("*.sh")]
        texts = [text for text in texts if re.search("crm_resource .*--refresh", text)]
        self.assertTrue(texts and all("7.5" in text for text in texts))

    def test_commands_of_pcs_and_crm_exist(self):
        """In the versions that are installed here; commands that only pcs 0.9 has are skipped."""
        only_old = dict((version, command) for command, version in SINCE)["0.9"]
        for program in ("pcs", "crm"):
            with self.subTest(program=program):
                if not shutil.which(program) or program == "crm" and not CRMSH.exists():
                    self.skipTest(f"{program} is not installed")
                self.assertFalse(is_listed(program, "resource", "fly"))
                shown = [words for _, line in lines() for words in calls(line, program) if len(words) > 1]
                shown = [words for words in shown if words[0].isalpha() and words[1][0].isalpha()]
                self.assertGreater(len(shown), 5)
                for words in shown:
                    command = " ".join((program, *words))
                    self.assertTrue(re.search(only_old, command) or is_listed(program, *words), command)

    def test_a_command_without_its_version_is_found(self):
        command = "    crm_resource --validate=10 --class ocf\n"
        self.assertEqual(["2.1.1: crm_resource --validate=10 --class ocf"], without_version("As the cluster asks:\n\n" + command))
        self.assertEqual([], without_version("With Pacemaker 2.1.1 and later:\n\n" + command))
        self.assertEqual(["2.1.1: crm_resource -r eip --validate=10"], without_version("crm_resource -r eip \\\n    \\-\\-validate=10"))

    def test_what_is_not_there_is_found(self):
        self.assertNotIn("moon", targets())
        self.assertEqual(calls("sudo eipctl show 1.2.3.4 && make rpm  # make nothing", "make"), [["rpm"]])
        self.assertEqual(calls("A=b /usr/sbin/eipctl check x", "eipctl"), [["check", "x"]])
        self.assertIn("to", eipctl()["drill"])
        self.assertNotIn("to", eipctl()["show"])

    def test_parameters_in_commands_exist(self):
        known, seen = parameters(), 0
        scripts = [path for folder in ("pcs-examples", "ocf", "packaging") for path in (ROOT / folder).rglob("*") if path.is_file()]
        texts = [(path.name, line) for path in scripts for line in re.sub(r"\\\n\s*", " ", path.read_text()).split("\n")]
        for place, line in lines() + texts:
            for name in set_by(line):
                seen += 1
                self.assertIn(name, known, f"{place}: {line}")
        self.assertGreater(seen, 20)
        self.assertEqual(["elastic_ip", "region"], set_by("pcs resource create eip ocf:heartbeat:eip elastic_ip=1 region=x op monitor interval=10s"))
        self.assertEqual(["elastic_ip"], set_by("crm_resource --validate --agent eip --option elastic_ip=203.0.113.10"))
        self.assertEqual(["region"], set_by("OCF_RESKEY_region=x OCF_RESKEY_CRM_meta_timeout=1 ./eip start"))

    def test_parameters_in_prose_exist(self):
        """A code span `name=...` names a parameter if it looks like one."""
        known = parameters()
        self.assertGreater(len(known), 15)
        known |= {word for source in (ROOT / "src").rglob("*.rs") for word in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', source.read_text())}
        for document in sorted((ROOT / "docs").glob("*.md")):
            for span in re.findall(r"`([a-z]+(?:_[a-z]+)+)=[^`]*`", document.read_text()):
                with self.subTest(document=document.name):
                    self.assertIn(span, known)

    def test_every_screen_is_compared_with_what_is_printed(self):
        """An indented block that begins with no command is a screen: tests/cluster (documents.rs) and test_status.py compare those."""
        commands = r"(\$ |# |sudo |\./|optional_policy|[A-Z_]+=|(apt-get|cargo|crm|crm_mon|crm_resource|curl|dnf|eipctl|install|journalctl|ln|make|minisign|pcs|systemctl|yum|zypper) )"
        compared = {"README.md": 2, "docs/monitoring.md": 1, "docs/operations.md": 3, "docs/status.md": 2}
        for document in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
            text = re.sub(r"^ *```.*?^ *```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
            blocks = re.findall(r"(?<=\n\n) {4}(.*\n)", text)
            screens = [line for line in blocks if not re.match(commands, line)]
            name = str(document.relative_to(ROOT))
            # In these, blocks are the paragraphs of a numbered list.
            if name != "docs/iam.md":
                with self.subTest(document=name):
                    self.assertEqual(len(screens), compared.get(name, 0), screens)

    def test_shell_blocks_are_shell(self):
        """bash can parse every block that is marked as shell."""
        for document in markdown.documents():
            for block in re.findall(r"^ *```(?:sh|bash)\n(.*?)^ *```$", document.read_text(), re.MULTILINE | re.DOTALL):
                checked = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
                self.assertEqual(checked.returncode, 0, f"{document.name}: {checked.stderr}\n{block}")


if __name__ == "__main__":
    unittest.main()
