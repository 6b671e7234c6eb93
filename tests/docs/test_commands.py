"""Commands in the documents exist: targets of make, commands and options of eipctl, parameters of the agents."""

import re
import subprocess
import unittest

import markdown

ROOT = markdown.ROOT


def targets() -> set[str]:
    """The targets of make."""
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][a-z0-9-]*):(?!=)", text, re.MULTILINE)) | {"help"}


def parameters() -> set[str]:
    """The parameters of the agents, from their tables."""
    tables = [path for path in (ROOT / "src/params").rglob("*.rs") if "table" in str(path)]
    return {name for table in tables for name in re.findall(r'\bname: "(\w+)"', table.read_text())}


def eipctl() -> dict[str, set[str]]:
    """The commands of eipctl with their options, from the source of its command line."""
    folder = ROOT / "src/face/ctl"
    text = (folder / "command.rs").read_text()
    everywhere = {name.replace("_", "-") for name in parameters()} | {"json", "timeout", "help", "version"}
    commands = {}
    for part in re.split(r'(?=Command::new\(")', text)[1:]:
        name = re.match(r'Command::new\("([\w-]+)"\)', part)[1]
        commands[name] = everywhere | set(re.findall(r'\.long\("([\w-]+)"\)', part))
        commands[name] |= set(re.findall(r'switch\(\s*"[\w-]+",\s*"([\w-]+)"', part))
        commands[name] |= {"dry-run"} if "dry_run()" in part else set()
        commands[name] |= {"force"} if "force()" in part else set()
    return commands


def lines() -> list[tuple[str, str]]:
    """Each piece of code in the documents, with the name of its document."""
    found = []
    for document in markdown.documents():
        if document.name != "CHANGELOG.md":
            found += [(document.name, line) for line in markdown.code(document.read_text())]
    return found


def calls(line: str, program: str) -> list[list[str]]:
    """The words after each call of a program in a line of shell."""
    found = []
    for command in re.split(r"&&|\||\$\(", line.split(" #")[0]):
        words = command.split()
        while words and (words[0] in {"sudo", "$", "#", "&&"} or re.fullmatch(r"\w+=\S*", words[0])):
            words.pop(0)
        if words and words[0].rpartition("/")[2] == program:
            found.append(words[1:])
    return found


class Commands(unittest.TestCase):
    def test_targets_of_make_exist(self):
        known, seen = targets(), 0
        for place, line in lines():
            for words in calls(line, "make"):
                for word in words:
                    if re.fullmatch(r"[a-z][a-z0-9-]*", word):
                        seen += 1
                        self.assertIn(word, known, f"{place}: {line}")
        self.assertGreater(seen, 5)

    def test_commands_and_options_of_eipctl_exist(self):
        known, seen = eipctl(), 0
        self.assertLessEqual({"show", "check", "claim", "release", "policy", "history", "restore", "drill", "assign"}, set(known))
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

    def test_what_is_not_there_is_found(self):
        self.assertNotIn("moon", targets())
        self.assertEqual(calls("sudo eipctl show 1.2.3.4 && make rpm  # make nothing", "make"), [["rpm"]])
        self.assertEqual(calls("A=b /usr/sbin/eipctl check x", "eipctl"), [["check", "x"]])
        self.assertIn("to", eipctl()["drill"])
        self.assertNotIn("to", eipctl()["show"])

    def test_parameters_in_prose_exist(self):
        """A code span `name=...` names a parameter if it looks like one."""
        known = parameters()
        self.assertGreater(len(known), 15)
        known |= {word for source in (ROOT / "src").rglob("*.rs") for word in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', source.read_text())}
        for document in sorted((ROOT / "docs").glob("*.md")):
            for span in re.findall(r"`([a-z]+(?:_[a-z]+)+)=[^`]*`", document.read_text()):
                with self.subTest(document=document.name):
                    self.assertIn(span, known)

    def test_shell_blocks_are_shell(self):
        """bash can parse every block that is marked as shell."""
        for document in markdown.documents():
            for block in re.findall(r"^ *```(?:sh|bash)\n(.*?)^ *```$", document.read_text(), re.MULTILINE | re.DOTALL):
                checked = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
                self.assertEqual(checked.returncode, 0, f"{document.name}: {checked.stderr}\n{block}")


if __name__ == "__main__":
    unittest.main()
