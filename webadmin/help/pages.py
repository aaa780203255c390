"""The documents as data: every page of the folder `docs/` with its address, title and text.

A page's path is the file's path below `docs/` without `.md`: `how-to/use-flask`. The first line of
each file is the title, `# Title`. The menu has the order of the links in the index.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

INDEX = "index"
SECTIONS = {
    "tutorial": "Tutorial",
    "how-to": "How to",
    "reference": "Reference",
    "explanation": "Explanation",
    "decisions": "Decisions",
}
"""Folders of `docs/` and their names in the menu, in the menu's order."""

_PACKAGE = Path(__file__).resolve().parents[1]
_MARKER = re.compile(r"^<!--.*-->\n?", re.MULTILINE)
_LINK = re.compile(r"\]\(([^()\s]+)\)")


@dataclass(frozen=True)
class Page:
    """A document. `text` is the Markdown without the markers of generated tables."""

    path: str
    title: str
    text: str


@dataclass(frozen=True)
class Target:
    """The target of a link between documents: a page, and a heading's anchor or an empty text."""

    path: str
    anchor: str


def docs_folder() -> Path:
    """Return the documents' folder: inside an installed package, beside it in a checkout."""
    installed = _PACKAGE / "docs"
    return installed if installed.is_dir() else _PACKAGE.parent / "docs"


@cache
def all_pages() -> Mapping[str, Page]:
    """Return every installed document by its path, read once per process."""
    return read_pages(docs_folder())


def read_pages(folder: Path) -> dict[str, Page]:
    """Return every document below `folder` by its path. Raises ValueError for a missing title."""
    files = sorted(folder.rglob("*.md"))
    paths = (file.relative_to(folder).with_suffix("").as_posix() for file in files)
    return {
        path: _page(path, file.read_text(encoding="utf-8"))
        for path, file in zip(paths, files, strict=True)
    }


def sections(pages: Mapping[str, Page]) -> dict[str, list[Page]]:
    """Return the menu: pages by section name, in the index's order, without empty sections."""
    linked = _order(pages)
    places = {path: place for place, path in enumerate(linked)}
    ordered = sorted(
        pages.values(), key=lambda page: (places.get(page.path, len(places)), page.title)
    )
    found = {
        name: [page for page in ordered if page.path.startswith(f"{folder}/")]
        for folder, name in SECTIONS.items()
    }
    return {name: members for name, members in found.items() if members}


def links(page: Page) -> Iterator[str]:
    """Yield the addresses of a page's links, code left out."""
    prose = re.sub(r"^ *```.*?^ *```", "", page.text, flags=re.MULTILINE | re.DOTALL)
    return (found[1] for found in _LINK.finditer(re.sub(r"`[^`\n]*`", "", prose)))


def target_of(page: str, address: str) -> Target | None:
    """Return the document behind a relative link on `page`; None for any other link."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or parts.path.startswith("/"):
        return None
    if not parts.path:
        return Target(page, parts.fragment)
    if not parts.path.endswith(".md"):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), parts.path))
    return Target(path.removesuffix(".md"), parts.fragment)


def slug(heading: str) -> str:
    """Return a heading's anchor as on GitHub: lower case, no punctuation, `-` for a space."""
    letters = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return letters.replace(" ", "-")


def _page(path: str, text: str) -> Page:
    first, _, _ = text.partition("\n")
    if not first.startswith("# "):
        raise ValueError(
            f"docs/{path}.md begins with {first[:60]!r}; the first line must be its title, "
            "'# Title'"
        )
    return Page(path, first.removeprefix("# ").strip(), _MARKER.sub("", text))


def _order(pages: Mapping[str, Page]) -> list[str]:
    """Return the paths of pages in the order of links, breadth first from the index."""
    order: list[str] = []
    waiting = [INDEX]
    while waiting:
        path = waiting.pop(0)
        if path in order or path not in pages:
            continue
        order.append(path)
        targets = (target_of(path, address) for address in links(pages[path]))
        waiting += [target.path for target in targets if target]
    return order
