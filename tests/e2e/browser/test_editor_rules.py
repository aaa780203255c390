"""The editor's kinds of rule, its policies and its preview, as an operator uses them; also without
a script.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    RruleWhen,
    Window,
)
from scheduler.services.services import Services
from tests.support.browser.up import PATIENCE, Up, Watch

JOB = "tests.echo"


@pytest.fixture
def name() -> str:
    """A schedule's name that nobody else uses."""
    return f"rule-{uuid4().hex[:8]}"


def begin(page: Page, name: str, kind: str) -> None:
    if hasattr(page.context, "watch"):
        page.context.watch.allow(422)  # the preview of a rule that is half written
    page.goto("/schedules/new")
    page.locator("#f-name").fill(name)
    page.locator("#f-job").select_option(JOB)
    page.get_by_text(kind, exact=True).click()


def save(page: Page) -> None:
    page.locator(".editor-save button[value=save]").click()
    page.wait_for_url(re.compile(r"/schedules/[^/]+/$"), timeout=PATIENCE)


def test_one_time_is_saved_on_the_clock_of_its_zone_and_comes_back_as_typed(
    page: Page, desk_up: Services, name: str
) -> None:
    begin(page, name, "Once")
    page.get_by_label("Time zone").fill("UTC")
    page.get_by_label("At", exact=True).fill("2090-12-24T18:00")
    expect(page.get_by_label("Preview")).to_contain_text("2090-12-24 18:00")
    expect(page.get_by_label("Preview")).to_contain_text("Next tick")
    save(page)
    assert desk_up.schedules.get(name).when == OnceWhen(at=datetime(2090, 12, 24, 18, tzinfo=UTC))
    page.goto(f"/schedules/{name}/edit")
    expect(page.get_by_label("At", exact=True)).to_have_value("2090-12-24T18:00")


def test_a_recurrence_is_previewed_and_saved(page: Page, desk_up: Services, name: str) -> None:
    begin(page, name, "Recurrence")
    page.get_by_label("Recurrence rule").fill("FREQ=MONTHLY;BYDAY=-1FR")
    page.get_by_label("Counted from").fill("2026-11-23T09:00")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    expect(page.get_by_label("Preview")).to_contain_text("Fri ")
    expect(page.get_by_label("Preview")).to_contain_text("09:00")
    save(page)
    when = desk_up.schedules.get(name).when
    assert isinstance(when, RruleWhen)
    assert (when.rrule, when.timezone) == ("FREQ=MONTHLY;BYDAY=-1FR", "Europe/Berlin")
    assert when.dtstart == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_either_day_field_may_be_enough_and_the_preview_says_where_that_differs(
    page: Page, desk_up: Services, name: str
) -> None:
    begin(page, name, "Crontab")
    page.get_by_label("Crontab line").fill("0 6 13 * fri")
    expect(page.get_by_label("Preview")).to_contain_text("must both match")
    page.get_by_text("either is enough").click()
    expect(page.get_by_label("Preview")).to_contain_text("is enough, as in a crontab file")
    save(page)
    when = desk_up.schedules.get(name).when
    assert isinstance(when, CrontabWhen)
    assert (when.crontab, when.day_match) == ("0 6 13 * fri", "or")


def test_an_edit_says_what_changes_in_the_next_30_days_before_it_is_saved(
    page: Page, desk_up: Services, name: str
) -> None:
    begin(page, name, "Crontab")
    page.get_by_label("Crontab line").fill("0 6 * * *")
    save(page)
    page.goto(f"/schedules/{name}/edit")
    preview = page.get_by_label("Preview")
    expect(preview).to_contain_text("No tick changes.")
    page.get_by_label("Crontab line").fill("0 7 * * *")
    expect(preview).to_contain_text("30 move")
    page.get_by_label("Crontab line").fill("0 6 * * mon-fri")
    expect(preview).to_contain_text(re.compile(r"(8|9|10) go:"))
    assert desk_up.schedules.get(name).revision == 1


def test_policies_and_limits_are_saved_and_told_in_the_editor(
    page: Page, desk_up: Services, name: str
) -> None:
    begin(page, name, "Interval")
    page.locator("summary", has_text="Policies").click()
    page.get_by_label("Queue all").check()
    page.get_by_label("Jitter").fill("2m")
    page.locator("summary", has_text="Start, end").click()
    page.get_by_label("At most").fill("3")
    save(page)
    saved = desk_up.schedules.get(name)
    assert isinstance(saved.when, IntervalWhen)
    assert (saved.policies.overlap, saved.policies.jitter) == ("queue_all", 120)
    assert saved.window == Window(max_runs=3)
    page.goto(f"/schedules/{name}/edit")
    expect(page.locator("summary", has_text="Policies")).to_contain_text(
        "overlap queue all, jitter 2m"
    )
    expect(page.get_by_label("Jitter")).to_have_value("2m")


def test_a_limit_that_cannot_be_read_is_told_at_its_field(
    page: Page, watch: Watch, desk_up: Services, name: str
) -> None:
    watch.allow(422)
    begin(page, name, "Interval")
    page.locator("summary", has_text="Policies").click()
    page.get_by_label("Jitter").fill("a while")
    page.locator(".editor-save button[value=save]").click()
    expect(page.locator("#e-jitter")).to_contain_text("not a length of time")
    assert name not in desk_up.schedules.names()


@pytest.fixture
def bare(up: Up, chromium: Browser, login: dict[str, object]) -> Iterator[Page]:
    """A window in which no script runs."""
    context = chromium.new_context(
        base_url=up.address,
        storage_state=login,  # type: ignore[arg-type]
        java_script_enabled=False,
    )
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def test_without_a_script_the_kinds_are_tabs_and_the_preview_is_a_button(
    bare: Page, desk_up: Services, name: str
) -> None:
    begin(bare, name, "Once")
    expect(bare.get_by_label("Crontab line")).to_be_hidden()
    bare.get_by_label("At", exact=True).fill("2090-12-24T18:00")
    bare.locator(".editor-save button[value=preview]").click()
    expect(bare.get_by_label("Preview")).to_contain_text("2090-12-24 18:00")
    save(bare)
    assert isinstance(desk_up.schedules.get(name).when, OnceWhen)
