"""What an operator does on an ordinary day, click by click, and what is really stored and run by
it.
"""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from scheduler.clock import utc_now
from scheduler.errors import NotFound
from scheduler.history.queries.views import RunFilter, RunView
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import CrontabWhen, IntervalWhen
from scheduler.services.services import Services
from tests.support.browser.up import PATIENCE, Up, Watch, log_in
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def name() -> str:
    """A schedule's name that nobody else uses."""
    return f"journey-{uuid4().hex[:8]}"


def runs_of(services: Services, name: str) -> list[RunView]:
    """The recorded runs of a schedule, newest first."""
    return list(services.history.runs(RunFilter(schedule=name), after=None, limit=50).items)


def wait_for_run(services: Services, name: str, state: str) -> RunView:
    """The newest run of a schedule in this state, when there is one."""
    return wait_for(
        lambda: next((run for run in runs_of(services, name) if run.state == state), None),
        60,
        f"a run of {name} {state}",
    )


def fill_in(page: Page, name: str, *, seconds: str, job: str, **arguments: str) -> None:
    """The form of a new schedule with an interval."""
    page.goto("/schedules/new")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_text("Interval", exact=True).click()
    page.get_by_label("Every", exact=True).fill(seconds)
    page.get_by_label("Unit").select_option("seconds")
    page.get_by_label("Job", exact=True).select_option(job)
    for parameter, text in arguments.items():
        page.locator(f'[name="p.{parameter}"]').fill(text)


def save(page: Page) -> None:
    """Press the button, and see the schedule's own page."""
    page.get_by_role("button", name=re.compile("^Save (schedule|changes)")).click()
    expect(page).to_have_url(re.compile(r"/schedules/(?!new)[\w.-]+/$"), timeout=PATIENCE)


def row_of(page: Page, name: str) -> Locator:
    """The schedule's line in the list."""
    page.goto(f"/schedules/?q={name}")
    return page.locator("tr", has=page.get_by_role("link", name=name, exact=True))


def delete_quietly(services: Services, name: str) -> None:
    """Leave nothing behind that fires."""
    try:
        services.schedules.delete(name, edit=Edit(actor="test", now=utc_now()))
    except NotFound:
        return


@pytest.fixture(autouse=True)
def _nothing_goes_on_firing(desk_up: Services, name: str) -> object:
    yield
    delete_quietly(desk_up, name)


def test_a_viewer_logs_in_sees_without_touching_and_logs_out(
    up: Up, desk_up: Services, chromium: Browser
) -> None:
    desk_up.accounts.create("eve@example.org", "eve looks at schedules", "viewer", now=utc_now())
    context = chromium.new_context(base_url=up.address)
    watch = Watch(context)
    page = context.new_page()
    page.goto("/schedules/")
    expect(page).to_have_url(re.compile("/login"))

    log_in(page, "eve@example.org", "eve looks at schedules")
    page.goto("/schedules/")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect(page.get_by_role("link", name="New schedule")).to_have_count(0)
    expect(page.get_by_role("switch")).to_have_count(0)

    page.get_by_role("button", name="Log out").click()
    page.goto("/runs/")
    expect(page).to_have_url(re.compile("/login"))
    assert watch.faults == []
    context.close()


def test_a_schedule_is_made_previewed_saved_and_seen_to_run(
    page: Page, desk_up: Services, name: str
) -> None:
    fill_in(page, name, seconds="2", job="tests.echo", value='"good morning"')
    preview = page.get_by_role("complementary", name="Preview")
    expect(preview.get_by_text("Every 2 seconds")).to_be_visible()
    expect(preview.locator(".ticks li")).to_have_count(10)

    save(page)

    schedule = desk_up.schedules.get(name)
    assert isinstance(schedule.when, IntervalWhen)
    assert schedule.when.every == 2
    page.goto(f"/runs/{wait_for_run(desk_up, name, 'succeeded').id}")
    expect(page.get_by_role("main")).to_contain_text("good morning")
    expect(page.get_by_role("main")).to_contain_text(name)
    page.goto(f"/runs/?schedule={name}")
    expect(page.get_by_role("main").get_by_text("Succeeded").first).to_be_visible()


def test_the_preview_follows_the_typing_and_names_the_zone(page: Page) -> None:
    page.goto("/schedules/new")
    page.get_by_label("Crontab line").fill("30 6 * * mon-fri")
    page.get_by_label("Time zone").fill("Europe/Berlin")
    preview = page.get_by_role("complementary", name="Preview")
    expect(preview).to_contain_text("06:30")
    expect(preview).to_contain_text("Europe/Berlin")
    expect(preview.locator(".ticks li")).to_have_count(10)

    page.get_by_label("Crontab line").fill("45 7 * * mon-fri")
    expect(preview).to_contain_text("07:45")


def test_an_edited_time_is_honoured_without_a_restart(
    page: Page, desk_up: Services, name: str
) -> None:
    fill_in(page, name, seconds="3600", job="tests.echo")
    save(page)
    assert runs_of(desk_up, name) == []

    page.goto(f"/schedules/{name}/edit")
    page.get_by_label("Every", exact=True).fill("1")
    page.get_by_label("Unit").select_option("seconds")
    page.get_by_label("Why this change?").fill("an hour is too long")
    save(page)

    wait_for(lambda: len(runs_of(desk_up, name)) >= 3, 60, f"{name} runs each second")
    assert {run.revision for run in runs_of(desk_up, name)} == {2}


def test_the_switch_in_the_list_ends_the_firing(page: Page, desk_up: Services, name: str) -> None:
    fill_in(page, name, seconds="1", job="tests.echo")
    save(page)
    wait_for(lambda: runs_of(desk_up, name), 60, f"{name} has run")

    switch = row_of(page, name).get_by_role("switch")
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.click()
    expect(row_of(page, name).get_by_role("switch")).to_have_attribute("aria-checked", "false")
    assert not desk_up.schedules.get(name).enabled

    row_of(page, name).get_by_role("switch").click()
    expect(row_of(page, name).get_by_role("switch")).to_have_attribute("aria-checked", "true")
    assert desk_up.schedules.get(name).enabled


def test_run_now_starts_a_run_and_moves_no_tick(page: Page, desk_up: Services, name: str) -> None:
    fill_in(page, name, seconds="3600", job="tests.echo", value='"at once"')
    save(page)
    before = desk_up.schedules.listed(name).next

    page.get_by_role("button", name="Run now").first.click()
    page.get_by_role("link", name="See the run").click()

    run = wait_for(
        lambda: [run for run in runs_of(desk_up, name) if run.state == "succeeded"],
        60,
        "the run is done",
    )[0]
    assert run.trigger == "manual"
    assert run.actor is not None
    page.goto(f"/runs/{run.id}")
    expect(page.get_by_role("main")).to_contain_text("at once")
    assert desk_up.schedules.listed(name).next == before


def test_a_failing_jobs_page_shows_its_traceback(page: Page, desk_up: Services, name: str) -> None:
    fill_in(page, name, seconds="3600", job="tests.fail", message="the printer is on fire <b>")
    save(page)
    page.get_by_role("button", name="Run now").first.click()
    expect(page.get_by_role("link", name="See the run")).to_be_visible()
    wait_for_run(desk_up, name, "failed")

    page.goto(f"/runs/?schedule={name}&state=failed")
    page.get_by_role("main").get_by_role("table").get_by_role("link", name=name).click()

    main = page.get_by_role("main")
    expect(main).to_contain_text("ValueError")
    expect(main).to_contain_text("the printer is on fire <b>")
    expect(main).to_contain_text("Traceback (most recent call last)")
    expect(main).to_contain_text("jobs.py")


@pytest.mark.parametrize(
    ("text", "told"),
    [("61 * * * *", "61"), ("* * * *", "five"), ("hourly-ish", "five"), ("0 0 31 2 *", "never")],
)
def test_a_bad_cron_text_is_told_at_its_field_and_nothing_is_written(  # noqa: PLR0917
    page: Page, watch: Watch, desk_up: Services, name: str, text: str, told: str
) -> None:
    watch.allow(422)
    page.goto("/schedules/new")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_label("Crontab line").fill(text)
    page.get_by_label("Job", exact=True).select_option("tests.echo")
    page.get_by_role("button", name="Save schedule").click()

    field = page.get_by_label("Crontab line")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value(text)
    expect(page.locator("#e-crontab")).to_contain_text(told)
    assert name not in desk_up.schedules.names()


def test_an_argument_that_does_not_fit_is_told_at_its_field(
    page: Page, watch: Watch, desk_up: Services, name: str
) -> None:
    watch.allow(422)
    fill_in(page, name, seconds="3600", job="tests.add", x="many")
    page.get_by_role("button", name="Save schedule").click()

    expect(page.locator('[name="p.x"]')).to_have_attribute("aria-invalid", "true")
    assert name not in desk_up.schedules.names()


def test_deleting_asks_first(page: Page, desk_up: Services, name: str) -> None:
    fill_in(page, name, seconds="3600", job="tests.echo")
    save(page)

    row = row_of(page, name)
    row.get_by_label(f"Actions for {name}").click()
    row.get_by_role("link", name="Delete").click()
    expect(page).to_have_url(re.compile(rf"/schedules/{name}/delete"))
    assert name in desk_up.schedules.names()

    page.get_by_role("main").get_by_role("button", name=re.compile("Delete")).click()
    expect(page).to_have_url(re.compile(r"/schedules/$"))
    assert name not in desk_up.schedules.names()


def test_a_crontab_in_a_zone_comes_back_into_the_editor_as_it_was_typed(
    page: Page, desk_up: Services, name: str
) -> None:
    page.goto("/schedules/new")
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_label("Crontab line").fill("0 6 * * mon-fri")
    page.get_by_label("Time zone").fill("Asia/Tokyo")
    page.get_by_label("Job", exact=True).select_option("tests.echo")
    save(page)

    page.goto(f"/schedules/{name}/edit")
    expect(page.get_by_label("Crontab line")).to_have_value("0 6 * * mon-fri")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")
    when = desk_up.schedules.get(name).when
    assert isinstance(when, CrontabWhen)
    assert (when.crontab, when.timezone) == ("0 6 * * mon-fri", "Asia/Tokyo")
