"""A document's Markdown as HTML that is safe under the console's content security policy.

CommonMark with tables by markdown-it-py. Raw HTML is shown as text, images are left out, links are
limited to the schemes http, https and mailto, and no element gets a `style` attribute.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from webadmin.help.pages import Page, Target, slug, target_of

STACKED_COLUMNS = 3
"""The largest number of columns of a table that is readable without its head."""

LONGEST_WORD = 40
"""Characters of the longest code in a text that is not broken: a longer one widens its column."""

Address = Callable[[Target], str | None]
"""A function from a document to its console address; None for a missing document."""


@dataclass(frozen=True)
class Heading:
    """A heading of the second level, for the list of contents."""

    anchor: str
    title: str


@dataclass(frozen=True)
class Rendered:
    """A document's HTML without the title, which the layout shows, and its headings."""

    html: Markup
    headings: list[Heading]


def render(page: Page, address: Address) -> Rendered:
    """Return the page as HTML. Links to missing documents become plain text."""
    markdown = _markdown()
    tokens = _without_title(markdown.parse(page.text))
    headings = _anchor_headings(tokens)
    _anchor_rows(tokens, {heading.anchor for heading in headings})
    for token in tokens:
        _drop_style(token)
        _point_links(token.children or [], page.path, address)
    html = markdown.renderer.render(tokens, markdown.options, {})
    return Rendered(Markup(html), [heading for heading in headings if heading.title])  # noqa: S704 - raw HTML is off


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    markdown.add_render_rule("code_inline", _code)
    markdown.add_render_rule("fence", _fence)
    markdown.add_render_rule("table_open", _open_table)
    markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return markdown


def _code(_: object, tokens: Sequence[Token], place: int, *__: object) -> str:
    """Return code in a text, with a class where it may be broken anywhere."""
    text = tokens[place].content
    kind = Markup(' class="help-long"') if len(text) > LONGEST_WORD else ""
    return Markup("<code{}>{}</code>").format(kind, text)


def _fence(_: object, tokens: Sequence[Token], place: int, *__: object) -> str:
    """Return a code block that scrolls with the keyboard."""
    return Markup('<pre tabindex="0"><code>{}</code></pre>\n').format(tokens[place].content)


def _open_table(_: object, tokens: Sequence[Token], place: int, *__: object) -> str:
    """Return the opening of a scrollable table.

    A table of at most STACKED_COLUMNS columns is stacked on a phone.
    """
    head = next(at for at in range(place, len(tokens)) if tokens[at].type == "thead_close")
    columns = sum(token.type == "th_open" for token in tokens[place:head])
    stacked = " help-stack" if columns <= STACKED_COLUMNS else ""
    return f'<div class="scroll" tabindex="0"><table class="table{stacked}">\n'


def _without_title(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens after the first heading (opening, text, closing)."""
    is_titled = bool(tokens) and tokens[0].type == "heading_open" and tokens[0].tag == "h1"
    return list(tokens[3:] if is_titled else tokens)


def _anchor_headings(tokens: Sequence[Token]) -> list[Heading]:
    """Set the anchor of each heading. Returns all headings; only the second level has a title."""
    headings: list[Heading] = []
    for place, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        title = _plain(tokens[place + 1])
        anchor = slug(title)
        token.attrSet("id", anchor)
        headings.append(Heading(anchor, title if token.tag == "h2" else ""))
    return headings


def _anchor_rows(tokens: Sequence[Token], taken: set[str]) -> None:
    """Set an anchor on each table row that begins with a single code: `#beatdesk_redis_url`."""
    for place, token in enumerate(tokens):
        if token.type != "tr_open" or tokens[place + 1].type != "td_open":
            continue
        inside = tokens[place + 2].children or []
        anchor = (
            slug(inside[0].content) if len(inside) == 1 and inside[0].type == "code_inline" else ""
        )
        if anchor and anchor not in taken:
            token.attrSet("id", anchor)
            taken.add(anchor)


def _drop_style(token: Token) -> None:
    """Replace a column's alignment by a class: the content security policy refuses `style`."""
    style = token.attrs.pop("style", None)
    if style == "text-align:right":
        token.attrSet("class", "right")


def _point_links(tokens: Sequence[Token], page: str, address: Address) -> None:
    """Point links between documents to the console's pages; other links send no referrer."""
    for place, token in enumerate(tokens):
        if token.type != "link_open":
            continue
        target = target_of(page, str(token.attrGet("href") or ""))
        if target is None:
            token.attrSet("rel", "noopener noreferrer")
            continue
        found = address(target)
        if found is None:
            _unlink(tokens, place)
        else:
            token.attrSet("href", found)


def _unlink(tokens: Sequence[Token], place: int) -> None:
    """Turn the link that opens at `place` into plain text."""
    end = next(at for at in range(place, len(tokens)) if tokens[at].type == "link_close")
    for token in (tokens[place], tokens[end]):
        token.type, token.tag, token.content, token.attrs = "text", "", "", {}
        token.nesting = 0


def _plain(inline: Token) -> str:
    """Return the text of a heading without markup."""
    return "".join(child.content for child in inline.children or [])
