"""Schedules as YAML in the console: downloads, one schedule's text, and a set that is planned
before it is applied.
"""

import re

import pytest

from scheduler.clock import utc_now
from scheduler.rules.calendars.text import calendar_of
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Window
from scheduler.sets.yaml_set import read
from tests.support.builders import JOB, a_spec, cron
from tests.support.webadmin.schedule_desk import everything_written, offer_jobs, saved

PAGE = "/schedules/import"

HOUR = (utc_now().hour + 12) % 24
"""Far from now: neither an old nor a new run of today lies between the two rules."""

DAILY, HALF_PAST = f"0 {HOUR} * * *", f"30 {HOUR} * * *"


@pytest.fixture(autouse=True)
def stored(services):
    """Two schedules, one tagged."""
    offer_jobs(services)
    saved(services, "nightly", when=cron(DAILY), tags=["reports"])
    saved(services, "hourly", when=cron("0 * * * *"))


def names(text):
    return [spec.name for spec in read(text)[0].schedules]


def hidden(page, name):
    """What a hidden field of the page holds."""
    return page.split(f'name="{name}" value="')[1].split('"')[0]


def test_all_schedules_are_downloaded(operator):
    answer = operator.get("/schedules/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="schedules.yaml"'
    assert names(answer.text) == ["hourly", "nightly"]
    assert names(operator.get("/schedules/export?tag=reports").text) == ["nightly"]
    assert "/schedules/export" in operator.get("/schedules/").text


def test_a_selection_is_downloaded(operator):
    assert names(operator.post("/schedules/bulk-export", {"name": ["nightly", "ghost"]}).text) == [
        "nightly"
    ]
    assert (
        "Select schedules first"
        in operator.post("/schedules/bulk-export", follow_redirects=True).text
    )


def test_one_schedule_is_shown_to_be_copied(operator):
    assert "/schedules/nightly/yaml" in operator.get("/schedules/nightly/").text
    page = operator.get("/schedules/nightly/yaml").text
    assert f"crontab: {DAILY}" in page
    assert 'data-copy="yaml"' in page


def planned(page):
    """The lines of a plan as they are read."""
    lines = re.findall(r'<li><span class="state (.*?)</li>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", f"<{line}").split()) for line in lines]


def test_a_set_is_planned_and_applied_as_it_was_shown(services, operator):
    text = (
        operator.get("/schedules/export")
        .text.replace(DAILY, HALF_PAST)
        .replace("name: hourly", "name: new")
    )
    before = everything_written(services)
    page = operator.post(PAGE, {"text": text}, page=PAGE).text
    assert everything_written(services) == before
    changed, made, stays = sorted(planned(page))
    assert (
        changed == "Changed nightly runs of the next 30 days: 30 move "
        f"when.crontab {DAILY} becomes {HALF_PAST}"
    )
    assert made.startswith("New new runs of the next 30 days: ")
    assert stays == "Stays hourly is not in the set"
    answer = operator.post(
        PAGE, {"text": text, "seen": hidden(page, "seen"), "comment": "from Git"}, page=PAGE
    )
    assert answer.status_code == 303
    assert services.schedules.names() == ["hourly", "new", "nightly"]
    assert services.schedules.get("nightly").when.crontab == HALF_PAST
    assert services.schedules.get("nightly").updated_by == "operator@example.org"


def test_calendars_of_a_set_are_shown_before_they_are_saved(services, operator):
    services.calendars.save(
        calendar_of("holidays", ["sun"]), revision=None, edit=Edit(actor="ada", now=utc_now())
    )
    resting = a_spec("rests", JOB, when=cron(DAILY), window=Window(calendar="holidays"))
    services.schedules.create(resting, edit=Edit(actor="ada", now=utc_now()))
    text = (
        "version: 1\ncalendars:\n- {name: holidays, excluded: [sat]}\n- {name: inventory, "
        "excluded: [mon]}\n"
        "schedules:\n"
        "- {name: new, job: reports.job_summary, when: {kind: interval, every: 60}, window: "
        "{calendar: inventory}}\n"
    )
    before = everything_written(services)
    page = operator.post(PAGE, {"text": text}, page=PAGE).text
    assert everything_written(services) == before
    assert "Changed holidays calendar 1 schedule here names it already excluded sun sat" in planned(
        page
    )
    assert "New inventory calendar" in planned(page)
    (affected,) = [line for line in planned(page) if line.startswith("Other runs")]
    assert re.fullmatch(
        r"Other runs rests stays as it is, but its calendar holidays changes "
        r"runs of the next 30 days: \d+ go, \d+ come",
        affected,
    )
    answer = operator.post(
        PAGE,
        {"text": text, "seen": hidden(page, "seen"), "comment": "x"},
        page=PAGE,
        follow_redirects=True,
    )
    assert "2 calendars saved, 1 made" in answer.text
    assert services.calendars.names() == ["holidays", "inventory"]
    assert services.schedules.get("new").window.calendar == "inventory"


def test_what_has_changed_since_it_was_shown_is_shown_again(services, operator):
    text = operator.get("/schedules/export").text.replace(DAILY, HALF_PAST)
    seen = hidden(operator.post(PAGE, {"text": text}, page=PAGE).text, "seen")
    services.schedules.set_enabled(
        "nightly", False, edit=Edit(actor="bob", now=services.schedules.get("nightly").updated_at)
    )
    before = everything_written(services)
    page = operator.post(PAGE, {"text": text, "seen": seen}, page=PAGE).text
    assert "Something has changed since the plan was shown" in page
    assert hidden(page, "seen") != seen
    assert everything_written(services) == before


def test_every_fault_of_a_set_is_told_and_nothing_is_saved(services, operator):
    before = everything_written(services)
    answer = operator.post(PAGE, {"text": "version: 1\nschedules:\n- {name: <b>}\n"}, page=PAGE)
    assert answer.status_code == 422
    assert "schedules[0].job (line 3): this is missing" in answer.text
    assert "schedules[0].when (line 3)" in answer.text
    assert "{name: &lt;b&gt;}" in answer.text
    assert everything_written(services) == before


def test_only_who_may_delete_may_prune(services, operator, admin):
    text = "version: 1\nschedules: []\n"
    page = operator.post(PAGE, {"text": text, "prune": "yes"}, page=PAGE).text
    assert [line.split()[0] for line in planned(page)] == ["Stays", "Stays"]
    page = admin.post(PAGE, {"text": text, "prune": "yes"}, page=PAGE).text
    assert [line.split()[0] for line in planned(page)] == ["Deleted", "Deleted"]
    admin.post(PAGE, {"text": text, "prune": "yes", "seen": hidden(page, "seen")}, page=PAGE)
    assert services.schedules.names() == []


@pytest.mark.parametrize("path", ["/schedules/export", "/schedules/nightly/yaml", PAGE])
def test_viewers_get_no_sets(viewer, path):
    assert viewer.get(path).status_code == 403
    assert path not in viewer.get("/schedules/").text
