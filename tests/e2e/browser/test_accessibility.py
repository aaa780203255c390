"""axe-core looks at every page: nothing serious, in both themes."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.support.browser.up import Up

VENDOR = Path(__file__).parent / "vendor"
AXE = (VENDOR / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => [one.id, one.impact, one.nodes.map(node => node.target.join(" ") + ": " + node.failureSummary)])"""
ACTOR = "ada@example.org"

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="session")
def addresses(pages: dict[str, str]) -> list[str]:
    """Every page, and schedules in states that look different."""
    more = [
        "?state=paused",
        "sample-paused/",
        "sample-static/",
        "sample-static/edit",
        "sample-plain/",
    ]
    return [*pages.values(), *(f"/schedules/{path}" for path in more)]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    context: BrowserContext, page: Page, up: Up, addresses: list[str], theme: str
) -> None:
    context.add_cookies([{"name": "beatdesk_theme", "value": theme, "url": up.address}])
    found: dict[str, Any] = {}
    for path in addresses:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path} answers {answer.status}"
        look(page, path, found)
    page.goto("/schedules/?q=sample")
    page.get_by_label("Select sample", exact=True).check()
    page.get_by_role("button", name="Tags, queue…").click()
    page.get_by_role("heading", name="All of these, or none").wait_for()
    look(page, "bulk change", found)
    assert found == {}


def test_axe_is_what_it_should_be_and_sees_what_is_wrong(page: Page) -> None:
    (told,) = tomllib.loads((VENDOR / "VENDORED.toml").read_text(encoding="utf-8"))["file"]
    assert hashlib.sha256((VENDOR / told["path"]).read_bytes()).hexdigest() == told["sha256"]
    found: dict[str, Any] = {}
    page.goto("/schedules/")
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
