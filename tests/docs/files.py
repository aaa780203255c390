"""The documents as the tests see them: those of `docs/` and those at the root, their code blocks,
links and anchors.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.architecture.tree import ROOT
from webadmin.help.pages import slug

DOCS = ROOT / "docs"
_BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\]\(([^()\s]+)\)")


@dataclass(frozen=True)
class Document:
    """A Markdown file. `name` is its path from the root of the repository."""

    name: str
    text: str

    @property
    def prose(self) -> str:
        """The text without its code."""
        return re.sub(r"`[^`\n]*`", "`code`", _BLOCK.sub("", self.text))

    @property
    def links(self) -> list[str]:
        """The addresses of all links and pictures."""
        return _LINK.findall(self.prose)

    @property
    def anchors(self) -> list[str]:
        """The anchors of all headings, in order."""
        without_code = _BLOCK.sub("", self.text)
        return [
            slug(title.replace("`", ""))
            for title in re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
        ]

    def blocks(self, *languages: str) -> list[str]:
        """The texts of the code blocks in these languages (`` is a block without one)."""
        found = _BLOCK.finditer(self.text)
        return [
            re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
            for match in found
            if match["language"] in languages
        ]

    @property
    def languages(self) -> set[str]:
        """The languages of its code blocks."""
        return {match["language"] for match in _BLOCK.finditer(self.text)}

    def executed(self) -> list[str]:
        """The commands of its `console` blocks, which stand after `$ `, with their arguments on one
        line.
        """
        lines = "".join(self.blocks("console")).replace("\\\n", " ").splitlines()
        return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]

    def commands(self) -> list[list[str]]:
        """The commands of its `sh` blocks as words. They are checked and not executed."""
        lines = "".join(self.blocks("sh")).replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


@cache
def documents() -> tuple[Document, ...]:
    """Every Markdown file of `docs/` and of the root, the changelog left out."""
    found = [
        path for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")] if path.name != "CHANGELOG.md"
    ]
    return tuple(
        Document(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(found)
    )


def document(name: str) -> Document:
    """The document of this name."""
    return next(one for one in documents() if one.name == name)


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every row of every table in a text; the rules below heads are left out."""
    for line in text.splitlines():
        if not line.startswith("| ") or set(line) <= set("| -:"):
            continue
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def section(text: str, heading: str) -> str:
    """The part of a text under a heading, up to the next heading of the same or a higher level."""
    level = heading.split(" ", 1)[0]
    _, found, rest = text.partition(f"{heading}\n")
    assert found, f"there is no heading {heading!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def path_of(document: Document, address: str) -> Path:
    """The file that a relative link leads to."""
    return ((ROOT / document.name).parent / address.partition("#")[0]).resolve()
