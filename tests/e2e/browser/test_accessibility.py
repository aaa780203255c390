"""axe-core looks at the pages with which operators change schedules: nothing serious, in both
themes.
"""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from scheduler.clock import utc_now
from scheduler.rules.model.spec import IntervalWhen, Spec
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.e2e.browser.conftest import Up
from tests.e2e.browser.letters import a_dead_letter
from tests.integration.schedules.conftest import plain
from tests.support.waiting import wait_for

VENDOR = Path(__file__).parent / "vendor"
AXE = (VENDOR / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => [one.id, one.impact, one.nodes.map(node => node.target.join(" ") + ": " + node.failureSummary)])"""
ACTOR = "ada@example.org"

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="session")
def pages(desk_up: Services) -> list[str]:
    """The pages, each with what it is for: revisions, a pause, an override, a plain entry, a
    deleted schedule.
    """
    store, now = desk_up.schedules, utc_now()
    spec = Spec(
        name="looked-at",
        job="tests.echo",
        when=IntervalWhen(every=86_400),
        kwargs={"value": 1},
        tags=["x"],
    )
    for name in ("looked-at", "looked-at-paused", "looked-at-gone"):
        made = store.create(spec.model_copy(update={"name": name}), actor=ACTOR, now=now)
    store.edit(
        "looked-at", spec.model_copy(update={"owner": "ada"}), revision=1, actor=ACTOR, now=now
    )
    desk_up.operations.pause("looked-at-paused", reason="the bank is closed", actor=ACTOR, now=now)
    store.delete("looked-at-gone", actor=ACTOR, comment="by mistake", now=now)
    for name in ("looked-at-plain", "looked-at-static"):
        plain(desk_up, name, task="tests.echo", kwargs={"value": 1})
    desk_up.redis.sadd(keys.STATICS_SET, "looked-at-static")
    static = store.get("looked-at-static").spec().model_copy(update={"kwargs": {"value": 2}})
    store.edit("looked-at-static", static, revision=0, actor=ACTOR, now=now)
    wait_for(
        lambda: desk_up.history.deleted_as("looked-at-gone"), 30, "the history knows the deletion"
    )
    wait_for(lambda: len(desk_up.history.revisions(made.uid)) == 2, 30, "and the revisions")
    letter = a_dead_letter(desk_up)
    return [
        "/schedules/",
        "/schedules/?state=paused",
        "/schedules/new",
        "/schedules/looked-at/",
        "/schedules/looked-at/edit",
        "/schedules/looked-at/backfill?since=7d",
        "/schedules/looked-at/pause",
        "/schedules/looked-at/revisions",
        "/schedules/looked-at/restore?number=1",
        "/schedules/looked-at-paused/resume",
        "/schedules/looked-at-static/",
        "/schedules/looked-at-static/edit",
        "/schedules/looked-at-static/reset",
        "/schedules/looked-at-plain/",
        "/schedules/looked-at-plain/adopt",
        "/schedules/deleted",
        "/schedules/deleted/restore?name=looked-at-gone",
        "/dead-letters/",
        f"/dead-letters/{letter}",
        f"/dead-letters/{letter}/drop",
        "/dead-letters/drop-all",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    context: BrowserContext, page: Page, up: Up, pages: list[str], theme: str
) -> None:
    context.add_cookies([{"name": "beatdesk_theme", "value": theme, "url": up.address}])
    found: dict[str, Any] = {}
    for path in pages:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path} answers {answer.status}"
        look(page, path, found)
    page.goto("/schedules/?q=looked-at")
    page.get_by_label("Select looked-at", exact=True).check()
    page.get_by_role("button", name="Tags, queue…").click()
    page.get_by_role("heading", name="All of these, or none").wait_for()
    look(page, "bulk change", found)
    assert found == {}


def test_axe_is_what_it_should_be_and_sees_what_is_wrong(page: Page, pages: list[str]) -> None:
    (told,) = tomllib.loads((VENDOR / "VENDORED.toml").read_text(encoding="utf-8"))["file"]
    assert hashlib.sha256((VENDOR / told["path"]).read_bytes()).hexdigest() == told["sha256"]
    found: dict[str, Any] = {}
    page.goto(pages[0])
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    look(page, "wrong", found)
    assert [violation[0] for violation in found["wrong"]] == ["image-alt"]


def look(page: Page, path: str, found: dict[str, Any]) -> None:
    """Run axe in the page; the browser's own debugger brings it past the content security
    policy.
    """
    page.evaluate(AXE)
    violations = page.evaluate(RUN)
    if violations:
        found[path] = violations
