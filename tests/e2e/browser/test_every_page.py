"""Every page, in both themes and at three widths: no error in the console, no breach of the policy,
nothing cut off.
"""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.browser.up import Up
from webadmin.help.pages import INDEX, all_pages

WIDTHS = {"phone": 360, "tablet": 768, "wide": 1440}

ALL_HELP = [f"/help/{path}" for path in all_pages() if path != INDEX]
"""Every document. All are made by one template, so that one width, the narrowest, is enough."""

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="session")
def addresses(pages: dict[str, str]) -> list[str]:
    """Every page, and lists that say that they have found nothing, or failures only."""
    return [*pages.values(), "/schedules/?q=nothing-is-called-so", "/runs/?state=failed"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_misbehaves_or_scrolls_sideways(  # noqa: PLR0917
    context: BrowserContext, page: Page, up: Up, addresses: list[str], theme: str, width: str
) -> None:
    context.add_cookies([{"name": "beatdesk_theme", "value": theme, "url": up.address}])
    page.set_viewport_size({"width": WIDTHS[width], "height": 800})
    wrong = {}
    documents = ALL_HELP if (theme, width) == ("light", "phone") else []
    for path in [*addresses, *documents]:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path} answers {answer.status}"
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
        expect(page.locator("h1")).to_be_visible()
        over = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if over > 0:
            wrong[path] = over
    assert wrong == {}


def test_the_dark_theme_is_dark_and_the_light_one_light(page: Page, pages: dict[str, str]) -> None:
    page.goto("/")
    brightness = {}
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness[theme] = sum(
            int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]
        )
    assert brightness["light"] > 600
    assert brightness["dark"] < 200
