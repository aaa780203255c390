"""Every page, in both themes and at three widths: no error in the console, no breach of the policy,
nothing cut off.
"""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from scheduler.history.queries import RunFilter
from scheduler.rules.model.spec import IntervalWhen, Spec
from scheduler.services.services import Services
from tests.e2e.browser.conftest import Up
from tests.e2e.browser.letters import a_dead_letter
from tests.support.waiting import wait_for

WIDTHS = {"phone": 360, "tablet": 768, "wide": 1440}
KEPT = "every-page"

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="session")
def pages(desk_up: Services) -> list[str]:
    """The address of every kind of page, with something on it: a schedule, a good run and a failed
    one.
    """
    from scheduler.clock import utc_now

    spec = Spec(
        name=KEPT,
        job="tests.fail",
        when=IntervalWhen(every=86_400),
        kwargs={"message": "word " * 40 + "a_word_without_any_place_to_break_" * 12},
        tags=["nightly", "finance"],
        owner="ada",
        notes="Call Ada.",
    )
    schedule = desk_up.schedules.create(
        spec, actor="ada@example.org", comment="for every page", now=utc_now()
    )
    run = desk_up.control.start(schedule, actor="ada@example.org", now=utc_now())
    wait_for(
        lambda: any(
            found.id == run
            for found in desk_up.history.runs(RunFilter(state="failed"), after=None, limit=9).items
        ),
        60,
        "the run has failed",
    )
    schedules = [
        "/schedules/",
        "/schedules/pause-all",
        "/schedules/?q=nothing-is-called-so",
        "/schedules/new",
        "/schedules/import",
    ]
    schedules += [
        f"/schedules/{KEPT}{page}"
        for page in (
            "",
            "/edit",
            "/clone",
            "/yaml",
            "/delete",
            "/pause",
            "/revisions",
            "/backfill?since=7d",
        )
    ]
    letters = [
        "/dead-letters/",
        *(f"/dead-letters/{a_dead_letter(desk_up)}{page}" for page in ("", "/drop")),
    ]
    runs = ["/runs/", "/runs/?state=failed", f"/runs/{run}"]
    others = [
        "/reports/",
        "/changes/",
        "/changes/?of=dead_letter",
        "/users/",
        "/dead-letters/drop-all",
    ]
    return ["/", *schedules, *runs, *letters, *others]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_misbehaves_or_scrolls_sideways(  # noqa: PLR0917
    context: BrowserContext, page: Page, up: Up, pages: list[str], theme: str, width: str
) -> None:
    context.add_cookies([{"name": "beatdesk_theme", "value": theme, "url": up.address}])
    page.set_viewport_size({"width": WIDTHS[width], "height": 800})
    wrong = {}
    for path in pages:
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


def test_the_dark_theme_is_dark_and_the_light_one_light(page: Page, pages: list[str]) -> None:
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
