"""The drawings of docs/ are well-formed, render, and are readable in light and dark mode."""

import os
import re
import shutil
import struct
import subprocess
import unittest
import zlib
from pathlib import Path
from xml.etree import ElementTree

import markdown

USUAL = ("zone a", "zone b", "Corosync", "EC2 API", "clients", "node1", "node2")
# Words in each drawing that show its subject.
DRAWINGS = {
    markdown.ROOT / "docs/multi-az.svg": ("Elastic IP", "metadata service", *USUAL),
    markdown.ROOT / "docs/overlay.svg": ("overlay address", "route table 3", "ReplaceRoute", *USUAL),
    markdown.ROOT / "docs/performance.svg": ("Milliseconds", "takeover", "eip", "vip", "overlay-ip", "awseip", "awsvip", "aws-vpc-move-ip", "curl"),
}
# For the drawings of clusters: a text and its background.
BOXES = (*(("text", ground) for ground in (".zone", ".node", ".part", ".aws", ".clients")), (".marktext", ".mark"))
SVG = "{http://www.w3.org/2000/svg}"
DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{(.*?\})\s*\}", re.DOTALL)


def style(drawing: Path) -> str:
    return ElementTree.parse(drawing).find(f"{SVG}style").text


def fills(css: str) -> dict[str, str]:
    """Fill colour by selector."""
    rules = re.findall(r"(\.?[\w-]+) \{([^}]*)\}", css)
    found = {name: re.search(r"\bfill: (#[0-9a-f]{6})", body) for name, body in rules}
    return {name: fill[1] for name, fill in found.items() if fill}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast as defined by WCAG, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def pixels(png: bytes) -> tuple[int, int, set[bytes]]:
    """Width, height and the distinct lines of an image; enough to tell a drawing from an empty page."""
    width, height = struct.unpack(">II", png[16:24])
    at, data = 8, b""
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    raw = zlib.decompress(data)
    step = len(raw) // height
    return width, height, {raw[at : at + step] for at in range(0, len(raw), step)}


class Drawing(unittest.TestCase):
    def test_there_is_no_other(self):
        self.assertEqual(set(DRAWINGS), set((markdown.ROOT / "docs").glob("*.svg")))

    def test_it_is_well_formed_and_described(self):
        for drawing, about in DRAWINGS.items():
            root = ElementTree.parse(drawing).getroot()
            self.assertEqual(root.tag, f"{SVG}svg")
            self.assertTrue(root.find(f"{SVG}title").text and root.find(f"{SVG}desc").text)
            words = " ".join("".join(text.itertext()) for text in root.iter(f"{SVG}text"))
            for word in about:
                self.assertIn(word, words)
            # An image in <img> loads no other files.
            self.assertNotRegex(drawing.read_text(), r'href="(?!#)|url\((?!#)')

    def test_text_stands_out_in_light_and_dark(self):
        for drawing in DRAWINGS:
            css = style(drawing)
            light = fills(DARK.sub("", css))
            dark = light | fills(DARK.search(css)[1])
            for name, colours in (("light", light), ("dark", dark)):
                # The texts of bars are beside them.
                boxes = () if drawing.name == "performance.svg" else BOXES
                for text, ground in (("text", ".page"), *boxes):
                    with self.subTest(drawing=drawing.name, scheme=name, ground=ground):
                        self.assertGreaterEqual(contrast(colours[text], colours[ground]), 7)
            self.assertNotEqual(light[".page"], dark[".page"])
        self.assertLess(contrast("#808080", "#7f7f7f"), 1.1)

    def test_it_renders(self):
        renderer = shutil.which("rsvg-convert")
        if not renderer:
            if os.environ.get("CI") == "true":
                self.fail("rsvg-convert is not installed: it is in the package librsvg2-bin (Debian), librsvg2-tools (RHEL family)")
            self.skipTest("rsvg-convert is not installed")
        for drawing in DRAWINGS:
            text = drawing.read_text()
            for name, source in (("light", text), ("dark", DARK.sub(r"\1", text))):
                with self.subTest(drawing=drawing.name, scheme=name):
                    made = subprocess.run([renderer], input=source.encode(), capture_output=True, check=False, timeout=60)
                    self.assertEqual((made.returncode, made.stderr), (0, b""))
                    width, height, lines = pixels(made.stdout)
                    root = ElementTree.fromstring(text)
                    self.assertEqual((width, height), (int(root.get("width")), int(root.get("height"))))
                    self.assertGreater(len(lines), 300)


if __name__ == "__main__":
    unittest.main()
