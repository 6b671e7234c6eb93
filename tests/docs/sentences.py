"""The messages that an operator can see: string literals of the agent's sources that read like a sentence.

This does not parse Rust. It recognizes comments, strings and characters, and skips tests, traces and debug lines. Placeholders are in
braces, as in the sources.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Not shown in the log, `pcs status` or the standard error of an agent or a script: files, folders, or any part of a path.
SILENT = {
    "face/cluster": "what Pacemaker's tools answer, and what `eipctl` says of it",
    "face/ctl": "speaks to its caller, and its manual explains it",
    "face/init/sentences.rs": "the sentences of the old script, and usage",
    "face/keepalived/mod.rs": "usage",
    "face/report.rs": "the form of a node attribute",
    "ocf/agent.rs": "descriptions for the meta-data",
    "ocf/meta_data.rs": "the form of the meta-data",
    "ocf/usage.rs": "usage",
    "params/table.rs": "descriptions for the meta-data",
    "params/table": "descriptions for the meta-data",
    "resource/policy.rs": "descriptions of a policy's statements",
    "base/log/destinations.rs": "the form of a line",
    "base/ids.rs": "forms of ids, quoted by the parameters",
    "host.rs": "what firmware says",
    "tests.rs": "tests",
    "tests": "tests",
    "cloud/model": "the model of EC2",
    "network/fake.rs": "network devices in memory",
}

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
# A call whose string does not reach an operator, up to that string.
QUIET = re.compile(r"(?:\.trace|\.debug|expect|include_str!|cfg|feature\s*=|\bdoc\s*=)\s*\(?\s*(?:format_args!\()?\s*&?\s*$")
PLACEHOLDER = re.compile(r"\{[^{}]*\}")


@dataclass(frozen=True)
class Sentence:
    """A sentence with its file and line."""

    where: str
    text: str

    def words(self) -> list[str]:
        return re.findall(r"[A-Za-z][A-Za-z']+", PLACEHOLDER.sub(" ", self.text))

    def pattern(self) -> re.Pattern:
        """What the document must contain: the fixed parts, with any text in place of the placeholders."""
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
        # One word, or words without a space, is a name; a placeholder counts as a word.
        filled = len(PLACEHOLDER.findall(text))
        if len(sentence.words()) + filled >= 2 and re.search(r"[A-Za-z}=][:;]? +[A-Za-z({]", text):
            found.append(sentence)
    return found


def names_of(file: Path) -> set[str]:
    """All keys under which `SILENT` can list a file: its path, a folder that contains it, or a part of its path."""
    parts = file.relative_to(ROOT / "src").parts
    return {"/".join(parts[:end]) for end in range(1, len(parts) + 1)} | set(parts)


def sources() -> list[Path]:
    return [file for file in sorted((ROOT / "src").rglob("*.rs")) if not names_of(file) & set(SILENT)]


def all_sentences() -> list[Sentence]:
    found = []
    for file in sources():
        found += sentences_of(file.read_text(), str(file.relative_to(ROOT)))
    return found


if __name__ == "__main__":
    for one in all_sentences():
        print(f"{one.where}: {one.text}")
