"""The sentences that the agent can say to an operator: string literals of its sources that read like one.

This is no parser of Rust: it knows comments, strings and characters, and leaves out tests, traces and debug lines. What a sentence
is filled in with is in braces, as in the sources.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Everything whose words can reach the log, `pcs status` or the standard error of an agent or a script. (`eipctl` speaks to who called it,
# and what it says of its own is told in its manual.)
SPEAKING = [
    "src/params",
    "src/cloud",
    "src/resource",
    "src/network",
    "src/state",
    "src/base/deadline.rs",
    "src/face/ocf.rs",
    "src/face/last_resort.rs",
    "src/world.rs",
    "src/face/settings_file.rs",
    "src/face/assignments.rs",
    "src/face/given.rs",
    "src/face/init/arguments.rs",
    "src/face/init/serve.rs",
    "src/face/init/settings.rs",
    "src/face/keepalived/arguments.rs",
    "src/face/keepalived/background.rs",
    "src/face/keepalived/check.rs",
    "src/face/keepalived/lose.rs",
    "src/face/keepalived/master.rs",
    "src/face/keepalived/serve.rs",
    "src/face/keepalived/settings.rs",
    "src/face/keepalived/work.rs",
    "src/ocf/environment.rs",
    "src/base/log",
]
# Of these: descriptions for the meta-data and of a policy's statements, the form of a line, tests.
SILENT = {"policy.rs", "table.rs", "table", "destinations.rs", "tests.rs", "tests", "fake.rs"}

TOKEN = re.compile(
    r"""
    (?P<comment> //[^\n]* | /\*.*?\*/ )
  | (?P<raw> r(?P<hashes>\#*)"(?P<inner>.*?)"(?P=hashes) )
  | (?P<string> "(?P<text>(?:[^"\\]|\\.)*)" )
  | (?P<char> '(?:[^'\\\n]|\\[^\n]{1,8}?)' )
    """,
    re.VERBOSE | re.DOTALL,
)
TESTS = re.compile(r"#\[cfg\((?:test|all\(test[^\n]*)\)\]\s*mod \w+ \{")
# A call that does not reach an operator, up to its string.
QUIET = re.compile(r"(?:\.trace|\.debug|expect|include_str!|cfg|feature\s*=|\bdoc\s*=)\s*\(?\s*(?:format_args!\()?\s*&?\s*$")
PLACEHOLDER = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Sentence:
    """A sentence, and where it is."""

    where: str
    text: str

    def words(self) -> list[str]:
        return re.findall(r"[A-Za-z][A-Za-z']+", PLACEHOLDER.sub(" ", self.text))

    def pattern(self) -> re.Pattern:
        """What the document has to contain: the fixed parts, with something in place of the others."""
        text = self.text.replace("{{", "\x01").replace("}}", "\x02").strip(" ;:,")
        parts = [re.escape(part).replace("\x01", r"\{").replace("\x02", r"\}") for part in PLACEHOLDER.split(text)]
        return re.compile(r"[^`|]{0,80}?".join(parts))


def unescape(text: str) -> str:
    text = re.sub(r"\\\n\s*", "", text)
    return text.replace('\\"', '"').replace("\\n", " ").replace("\\\\", "\\")


def sentences_of(source: str, where: str) -> list[Sentence]:
    """The sentences of one file."""
    tests = TESTS.search(source)
    source = source[: tests.start()] if tests else source
    found = []
    for token in TOKEN.finditer(source):
        if token["comment"] or token["char"]:
            continue
        text = token["inner"] if token["raw"] else unescape(token["text"])
        before = TOKEN.sub(" ", source[max(0, token.start() - 80) : token.start()])
        if QUIET.search(before):
            continue
        line = source.count("\n", 0, token.start()) + 1
        sentence = Sentence(f"{where}:{line}", text)
        # One word, or words without a space, is a name; what is filled in counts as a word.
        filled = len(PLACEHOLDER.findall(text))
        if len(sentence.words()) + filled >= 2 and re.search(r"[A-Za-z}=][:;]? +[A-Za-z({]", text):
            found.append(sentence)
    return found


def sources() -> list[Path]:
    files = []
    for name in SPEAKING:
        path = ROOT / name
        files += [path] if path.is_file() else sorted(path.rglob("*.rs"))
    return [file for file in files if not SILENT & set(file.relative_to(ROOT).parts)]


def all_sentences() -> list[Sentence]:
    found = []
    for file in sources():
        found += sentences_of(file.read_text(), str(file.relative_to(ROOT)))
    return found


if __name__ == "__main__":
    for one in all_sentences():
        print(f"{one.where}: {one.text}")
