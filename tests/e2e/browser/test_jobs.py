"""Jobs that come with Beatdesk: scheduled with their parameters in the form, run, and what they
leave opened.
"""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from scheduler.clock import utc_now
from scheduler.errors import NotFound
from scheduler.rules.model.edit import Edit
from scheduler.services.services import Services
from tests.support.browser.up import PATIENCE, Watch

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def name(desk_up: Services) -> Iterator[str]:
    """A schedule's name that nobody else uses; the schedule is gone afterwards."""
    name = f"job-{uuid4().hex[:8]}"
    yield name
    try:
        desk_up.schedules.delete(name, edit=Edit(actor="test", now=utc_now()))
    except NotFound:
        return


def fill_in(page: Page, name: str, job: str, **parameters: str) -> None:
    """The form of a new schedule that is due tomorrow."""
    page.goto("/schedules/new")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_text("Interval", exact=True).click()
    page.get_by_label("Every", exact=True).fill("24")
    page.get_by_label("Unit").select_option("hours")
    page.get_by_label("Job", exact=True).select_option(job)
    for parameter, text in parameters.items():
        field = page.locator(f'[name="p.{parameter}"]')
        field.wait_for()
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=text)
        else:
            field.fill(text)


def save_and_run(page: Page) -> Locator:
    """Save, run it now, and go to the page of the run: its main part."""
    page.get_by_role("button", name=re.compile("^Save (schedule|changes)")).click()
    expect(page).to_have_url(re.compile(r"/schedules/(?!new)[\w.-]+/$"), timeout=PATIENCE)
    page.get_by_role("button", name="Run now").first.click()
    page.get_by_role("link", name="See the run").click()
    return page.get_by_role("main")


def succeeds(main: Locator) -> None:
    """The page itself comes to say that the run is done."""
    expect(main.get_by_role("region", name="Its life").get_by_text("Succeeded")).to_be_visible(
        timeout=2 * PATIENCE
    )


def test_a_slow_job_is_seen_at_work_and_done_without_a_reload(page: Page, name: str) -> None:
    fill_in(page, name, "demo.long_task", duration="6")
    main = save_and_run(page)

    expect(main.get_by_role("progressbar", name="Progress")).to_be_visible()
    expect(main.get_by_role("region", name="Log")).to_contain_text("working for 6 seconds")
    expect(main.get_by_role("button", name="Cancel")).to_be_visible()
    succeeds(main)
    expect(main.get_by_role("region", name="Log")).to_contain_text("done")
    expect(main.get_by_role("progressbar")).to_have_count(0)
    expect(main.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(main.get_by_role("button", name="Run again", exact=True)).to_be_visible()


def test_a_report_is_scheduled_made_and_opened(page: Page, name: str) -> None:
    fill_in(
        page, name, "reports.job_summary", period="week", formats='["html", "pdf"]', late_after="30"
    )
    main = save_and_run(page)
    succeeds(main)

    reports = main.get_by_role("region", name="Reports").get_by_role("listitem")
    expect(reports).to_have_count(2)
    with page.expect_download() as download:
        reports.filter(has_text="PDF").get_by_role("link").click()
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    reports.filter(has_text="page").get_by_role("link").click()
    expect(page).to_have_url(re.compile("/reports/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Job summary")


def test_idle_keys_are_first_only_counted_and_then_deleted(
    page: Page, desk_up: Services, name: str
) -> None:
    redis: Any = desk_up.redis
    for key in ("scratch:old", "scratch:new", "other:old"):
        redis.set(key, "x")
    for key in ("scratch:old", "other:old"):
        dump = redis.execute_command("DUMP", key, NEVER_DECODE=True)
        redis.execute_command("RESTORE", key, 0, dump, "REPLACE", "IDLETIME", 7200)

    fill_in(page, name, "cleanup.redis_keys", pattern="scratch:*")
    main = save_and_run(page)
    succeeds(main)
    expect(main.get_by_role("region", name="Arguments and result")).to_contain_text(
        '"would_delete": 1'
    )
    assert redis.exists("scratch:old") == 1

    page.goto(f"/schedules/{name}/edit")
    dry_run = page.locator('[name="p.dry_run"]')
    dry_run.select_option(label="false")
    main = save_and_run(page)
    succeeds(main)
    expect(main.get_by_role("region", name="Arguments and result")).to_contain_text('"deleted": 1')
    assert (
        redis.exists("scratch:old"),
        redis.exists("scratch:new"),
        redis.exists("other:old"),
    ) == (0, 1, 1)
    redis.delete("scratch:new", "other:old")


def test_a_workflow_shows_the_runs_that_came_of_it(page: Page, name: str) -> None:
    fill_in(page, name, "demo.workflow", parts="2")
    main = save_and_run(page)
    succeeds(main)

    def children() -> Locator:
        page.reload()
        return main.get_by_role("region", name="Runs that came of it", exact=True)

    expect(children()).to_contain_text("demo.prepare")
    main.get_by_role("link", name=re.compile("[0-9a-f-]{36}")).first.click()
    expect(main.get_by_role("region", name="Facts")).to_contain_text("Started from")


def test_a_parameter_that_does_not_fit_is_told_at_its_field(
    page: Page, watch: Watch, desk_up: Services, name: str
) -> None:
    watch.allow(422)
    fill_in(page, name, "reports.job_summary", late_after="0", formats='["docx"]')
    page.get_by_role("button", name="Save schedule").click()

    for parameter in ("late_after", "formats"):
        expect(page.locator(f'[name="p.{parameter}"]')).to_have_attribute("aria-invalid", "true")
    assert name not in desk_up.schedules.names()
