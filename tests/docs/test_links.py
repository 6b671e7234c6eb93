"""Every link between documents has a target."""

import unittest
from pathlib import Path
from urllib.parse import unquote

import markdown


def broken(document: Path, text: str) -> list[str]:
    """The broken links in a document."""
    wrong = []
    for link in markdown.links(text):
        path, _, anchor = link.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        target = (document.parent / unquote(path)).resolve() if path else document
        if not target.exists():
            wrong.append(f"{link}: no such file")
        elif anchor and target.suffix == ".md":
            there = text if target == document else target.read_text()
            if anchor not in markdown.anchors(there):
                wrong.append(f"{link}: no such heading")
    return wrong


class Links(unittest.TestCase):
    def test_every_link_leads_somewhere(self):
        count = 0
        for document in markdown.documents():
            text = document.read_text()
            count += len(markdown.links(text))
            with self.subTest(document=document.name):
                self.assertEqual(broken(document, text), [])
        self.assertGreater(count, 20)

    def test_broken_ones_are_found(self):
        text = "# A `b` heading, with a comma\n\n[ok](#a-b-heading-with-a-comma) [x](#nowhere) [y](none.md) `[no](link.md)`\n"
        self.assertEqual(broken(markdown.ROOT / "README.md", text), ["#nowhere: no such heading", "none.md: no such file"])

    def test_the_index_lists_every_document(self):
        index = markdown.ROOT / "docs/README.md"
        listed = {(index.parent / link.partition("#")[0]).resolve() for link in markdown.links(index.read_text())}
        documents = {path.resolve() for path in index.parent.glob("*.md")} - {index.resolve()}
        self.assertEqual(documents - listed, set())


if __name__ == "__main__":
    unittest.main()
