"""Links lead somewhere, every page can be found, and no folder or page grows too large."""

from urllib.parse import urlsplit

import pytest

from tests.architecture.tree import ROOT
from tests.docs.files import DOCS, Document, document, documents, path_of
from webadmin.help.pages import SECTIONS, docs_folder, read_pages, sections, target_of

FOLDER_LIMIT = 22
README_WORDS = 1200
NAMES = [one.name for one in documents()]


def is_outside(address: str) -> bool:
    return bool(urlsplit(address).scheme)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(name: str) -> None:
    one = document(name)
    broken = [
        address
        for address in one.links
        if not is_outside(address) and not leads_somewhere(one, address)
    ]
    assert broken == []


def leads_somewhere(one: Document, address: str) -> bool:
    anchor = address.partition("#")[2]
    path = path_of(one, address) if not address.startswith("#") else ROOT / one.name
    if not path.is_file():
        return False
    return not anchor or anchor in document(path.relative_to(ROOT).as_posix()).anchors


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("docs/")])
def test_a_page_of_the_console_links_to_pages_of_the_console_only(name: str) -> None:
    outside = [
        address
        for address in document(name).links
        if not is_outside(address)
        and target_of(name.removeprefix("docs/").removesuffix(".md"), address) is None
    ]
    assert outside == []


def test_links_with_a_scheme_are_https() -> None:
    found = {address for one in documents() for address in one.links if is_outside(address)}
    assert {address for address in found if not address.startswith("https://")} == set()


def test_every_page_can_be_reached_from_the_index() -> None:
    pages = read_pages(DOCS)
    reached: set[str] = set()
    waiting = ["index"]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        targets = (target_of(path, address) for address in document(f"docs/{path}.md").links)
        waiting += [target.path for target in targets if target]
    assert set(pages) - reached == set()


def test_every_page_is_in_the_menu_of_the_console() -> None:
    pages = read_pages(DOCS)
    listed = [page.path for members in sections(pages).values() for page in members]
    assert sorted([*listed, "index"]) == sorted(pages)
    assert len(listed) == len(set(listed))


def test_the_documents_are_found_in_a_checkout() -> None:
    assert docs_folder() == DOCS


@pytest.mark.parametrize("folder", SECTIONS)
def test_no_folder_has_more_than_about_twenty_pages(folder: str) -> None:
    assert 0 < len(list((DOCS / folder).glob("*.md"))) <= FOLDER_LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_a_document_has_one_title_and_no_two_headings_alike(name: str) -> None:
    one = document(name)
    assert one.text.startswith("# ")
    assert len(one.anchors) == len(set(one.anchors))


def test_readme_can_be_read_in_five_minutes() -> None:
    assert len(document("README.md").text.split()) <= README_WORDS
