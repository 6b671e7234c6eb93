"""The parts of Markdown that the tests need: headings as GitHub anchors them, links, code."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\!)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def documents() -> list[Path]:
    """All Markdown files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )
    return [ROOT / name for name in listed.stdout.split("\n") if name]


def without_code(text: str) -> str:
    """The text without its code blocks and code spans."""
    lines = [line for line in FENCE.sub("", text).split("\n") if not line.startswith("    ")]
    return re.sub(r"`[^`\n]*`", "", "\n".join(lines))


def anchors(text: str) -> set[str]:
    """Everything that can follow the # in a link to this document."""
    seen: dict[str, int] = {}
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def links(text: str) -> list[str]:
    return [link or image for link, image in LINK.findall(without_code(text))]


def code(text: str) -> list[str]:
    """Every code span, and every line of the code blocks; continued lines are joined."""
    blocks = "\n".join(FENCE.findall(text)) + "\n"
    blocks += "\n".join(line for line in FENCE.sub("", text).split("\n") if line.startswith("    "))
    spans = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    return [line.strip() for line in re.sub(r"\\\n\s*", " ", blocks).split("\n") if line.strip()] + spans
