"""Documents as pages: what is read, what is made of it, and what can never come out of it."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.architecture.tree import ROOT
from webadmin.help.pages import Page, Target, links, read_pages, sections, slug, target_of
from webadmin.help.rendering import render

CALL = re.compile(r'(?:ui\.help|help_url)\("(?P<path>[^"]+)"(?:, "(?P<anchor>[\w-]+)"[,)])?')
TEMPLATES = ROOT / "webadmin" / "templates"


def html(text: str, path: str = "how-to/here", existing: tuple[str, ...] = ()) -> str:
    """What becomes of a page with this text; documents that exist have an address."""

    def address(target: Target) -> str | None:
        return f"/help/{target.path}#{target.anchor}" if target.path in existing else None

    return str(render(Page(path, "Title", f"# Title\n\n{text}"), address).html)


def folder(tmp_path: Path, **pages: str) -> Path:
    """A folder of documents; `__` in a name stands for a folder, `_` for `-`."""
    for name, text in pages.items():
        path = tmp_path / (name.replace("__", "/").replace("_", "-") + ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_the_first_line_of_a_file_is_its_title(tmp_path: Path) -> None:
    pages = read_pages(folder(tmp_path, how_to__use_flask="# Use Flask\n\nText.\n"))
    assert {path: page.title for path, page in pages.items()} == {"how-to/use-flask": "Use Flask"}


def test_a_file_without_a_title_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"docs/index\.md begins with 'Text'; the first line must be its title"
    ):
        read_pages(folder(tmp_path, index="Text\n"))


def test_the_markers_of_tables_are_not_shown(tmp_path: Path) -> None:
    pages = read_pages(
        folder(tmp_path, index="# Index\n<!-- table: settings -->\nText\n<!-- end -->\n")
    )
    assert pages["index"].text == "# Index\nText\n"


def test_the_menu_has_the_order_of_the_index_and_leaves_no_page_out(tmp_path: Path) -> None:
    pages = read_pages(
        folder(
            tmp_path,
            index="# Index\n[b](how-to/b.md) [a](how-to/a.md)\n",
            how_to__a="# A\n",
            how_to__b="# B\n",
            how_to__unlinked="# Unlinked\n",
        )
    )
    assert [page.title for page in sections(pages)["How to"]] == ["B", "A", "Unlinked"]


@pytest.mark.parametrize(
    ("address", "path", "anchor"),
    [
        ("b.md", "how-to/b", ""),
        ("b.md#part", "how-to/b", "part"),
        ("#part", "how-to/here", "part"),
        ("../reference/b.md", "reference/b", ""),
        ("../index.md", "index", ""),
    ],
)
def test_a_relative_link_leads_to_a_document(address: str, path: str, anchor: str) -> None:
    assert target_of("how-to/here", address) == Target(path, anchor)


@pytest.mark.parametrize(
    "address", ["https://example.org/b.md", "//example.org/b.md", "/b.md", "b.png", "mailto:a@b.c"]
)
def test_other_links_lead_elsewhere(address: str) -> None:
    assert target_of("how-to/here", address) is None


def test_links_in_code_are_no_links() -> None:
    page = Page("a", "A", "[b](b.md) `[c](c.md)`\n\n```text\n[d](d.md)\n```\n")
    assert list(links(page)) == ["b.md"]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [("It says queued, and nothing happens", "it-says-queued-and-nothing-happens"), ("a_b", "a_b")],
)
def test_an_anchor_is_made_as_on_github(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor


def test_links_between_documents_lead_to_the_console() -> None:
    assert '<a href="/help/how-to/b#part">b</a>' in html("[b](b.md#part)", existing=("how-to/b",))


def test_a_link_to_a_document_that_is_not_there_is_plain_text() -> None:
    assert html("see [b `c`](b.md) there") == "<p>see b <code>c</code> there</p>\n"


def test_other_links_do_not_name_where_they_come_from() -> None:
    assert '<a href="https://example.org" rel="noopener noreferrer">' in html(
        "[b](https://example.org)"
    )


def test_headings_and_rows_have_anchors_of_their_own() -> None:
    text = html(
        "## overlap\n\n| a | b |\n| --- | --- |\n| `overlap` | 1 |\n| `BEATDESK_JOBS` | 2 |\n"
    )
    assert re.findall(r' id="([^"]+)"', text) == ["overlap", "beatdesk_jobs"]


def test_a_column_is_aligned_without_a_style() -> None:
    assert '<td class="right">1</td>' in html("| a |\n| --: |\n| 1 |\n")


def test_long_code_may_be_broken_and_short_code_may_not() -> None:
    assert '<code class="help-long">' + "x" * 41 + "</code>" in html("`" + "x" * 41 + "`")
    assert "<code>" + "x" * 40 + "</code>" in html("`" + "x" * 40 + "`")


def test_a_wide_table_is_scrolled_and_a_narrow_one_stacked() -> None:
    assert "help-stack" in html("| a | b | c |\n| - | - | - |\n")
    assert "help-stack" not in html("| a | b | c | d |\n| - | - | - | - |\n")


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](data:text/html,<script>)",
        "[a](vbscript:x)",
        "![a](https://example.org/x.png)",
        "```\n</code></pre><script>alert(1)</script>\n```",
        "| <b onclick=x> |\n| :-: |\n| 1 |",
    ],
)
def test_nothing_that_runs_comes_out(hostile: str) -> None:
    check_safe(html(hostile))


@given(st.text(alphabet="<>\"'`|[]()!#*_-: \nabjscriptv/.=&;", max_size=120))
def test_no_text_at_all_makes_markup_of_its_own(text: str) -> None:
    check_safe(html(text))


def check_safe(text: str) -> None:
    """Only the elements and attributes of a text; links with harmless schemes."""
    elements = set(re.findall(r"<([a-z0-9]+)", text))
    assert elements <= {
        "p",
        "pre",
        "code",
        "a",
        "em",
        "strong",
        "ul",
        "ol",
        "li",
        "blockquote",
        "hr",
        "br",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "div",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    attributes = {
        name
        for tag in re.findall(r"<[a-z0-9]+([^>]*)>", text)
        for name in re.findall(r' ([a-z]+)="', tag)
    }
    assert attributes <= {"id", "href", "rel", "title", "class", "tabindex", "start"}
    assert [address for address in re.findall(r'href="([^"]*)"', text) if dangerous(address)] == []


def dangerous(address: str) -> bool:
    return address.strip().lower().startswith(("javascript:", "vbscript:", "data:", "file:"))


def test_every_link_from_a_template_into_the_documents_leads_somewhere() -> None:
    pages = read_pages(ROOT / "docs")
    calls = [
        (template.name, match["path"], match["anchor"])
        for template in TEMPLATES.rglob("*.html")
        for match in CALL.finditer(template.read_text(encoding="utf-8"))
    ]
    assert len(calls) > 4
    for template, path, anchor in calls:
        assert path in pages, template
        if anchor and not anchor.endswith(
            "-"
        ):  # the beginning of an anchor is completed by the template
            made = str(render(pages[path], lambda target: target.path).html)
            assert f'id="{anchor}"' in made, f"{template}: {path}#{anchor}"


@pytest.mark.parametrize("state", ["skipped", "missed"])
def test_a_verdict_leads_to_its_explanation(state: str) -> None:
    pages = read_pages(ROOT / "docs")
    made = str(render(pages["how-to/why-did-it-not-run"], lambda target: target.path).html)
    assert f'id="it-says-{state}"' in made
