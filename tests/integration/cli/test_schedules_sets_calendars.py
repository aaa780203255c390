"""The exclusion calendars of a set: exported, planned, applied and imported with its schedules."""

import pytest

from scheduler.clock import utc_now
from scheduler.errors import StaleRevision
from scheduler.rules.model.edit import Edit
from scheduler.sets.apply import apply, plan_text
from tests.support.sets.operators import ACTOR


@pytest.fixture
def with_calendar(stored):
    """The two schedules, one of which names a calendar; and a calendar that none names."""
    stored.done(
        "calendars",
        "set",
        "holidays",
        "--tz",
        "Europe/Berlin",
        "--weekly",
        "sat-sun",
        "--date",
        "2026-12-24 Eve",
    )
    stored.done("calendars", "set", "unused", "--weekly", "mon")
    stored.done("schedules", "edit", "often", "--calendar", "holidays")
    return stored


def test_an_export_carries_the_calendars_that_its_schedules_name(with_calendar, file):
    assert (
        with_calendar.done("schedules", "export", str(file))
        == f"2 schedules and 1 calendar written to {file}\n"
    )
    text = file.read_text()
    assert (
        "calendars:\n- name: holidays\n  timezone: Europe/Berlin\n  excluded:\n  - sat-sun\n"
        in text
    )
    assert "unused" not in text
    assert "calendars:" not in with_calendar.done("schedules", "export", "--tag", "reports")
    before = with_calendar.written()
    assert with_calendar.json("schedules", "plan", str(file))["unchanged_calendars"] == ["holidays"]
    with_calendar.done("schedules", "apply", str(file), "--prune")
    assert with_calendar.written() == before


def test_an_apply_makes_calendars_with_the_schedules_that_name_them(with_calendar, file):
    with_calendar.done("schedules", "export", str(file))
    wanted = with_calendar.services.calendars.get("holidays").calendar()
    with_calendar.done("schedules", "delete", "often", "--yes")
    with_calendar.done("calendars", "delete", "holidays", "--yes")
    before = with_calendar.written()
    assert "+ calendar holidays: new, 2 lines of excluded times" in with_calendar.done(
        "schedules", "plan", str(file)
    )
    assert with_calendar.written() == before
    told = with_calendar.done("schedules", "apply", str(file)).splitlines()
    assert told[:2] == ["calendar holidays made", "often made"]
    assert with_calendar.services.calendars.get("holidays").calendar() == wanted
    assert with_calendar.services.schedules.get("often").window.calendar == "holidays"


def test_a_calendar_that_changes_is_planned_and_saved_as_a_revision_with_the_reason(
    with_calendar, file, record
):
    with_calendar.done("schedules", "export", str(file))
    file.write_text(file.read_text().replace("sat-sun", "sun").replace("every: 300", "every: 600"))
    plan = with_calendar.json("schedules", "plan", str(file))
    (calendar,) = plan["calendars"]
    assert (calendar["name"], calendar["revision"], calendar["used_by"]) == (
        "holidays",
        1,
        ["often"],
    )
    assert calendar["differences"] == [{"field": "excluded", "old": ["sat-sun"], "new": ["sun"]}]
    assert (
        "~ calendar holidays, revision 1; 1 schedule here named it already"
        in with_calendar.done("schedules", "plan", str(file))
    )
    done = with_calendar.json("schedules", "apply", str(file), "--comment", "from Git")
    assert (done["calendars"], done["changed"]) == (
        {"created": [], "changed": ["holidays"]},
        ["often"],
    )
    assert with_calendar.services.calendars.get("holidays").revision == 2
    record()
    newest = with_calendar.services.calendar_history.revisions("holidays")[0]
    assert (newest.revision, newest.actor, newest.comment) == (2, ACTOR, "from Git")


def test_runs_that_a_changed_calendar_gives_to_unchanged_schedules_are_counted(with_calendar, file):
    with_calendar.done(
        "schedules", "add", "elsewhere", "demo.plain", "--every", "3600", "--calendar", "holidays"
    )
    with_calendar.done(
        "schedules",
        "add",
        "off",
        "demo.plain",
        "--every",
        "60",
        "--calendar",
        "holidays",
        "--disabled",
    )
    with_calendar.done("schedules", "export", str(file))
    whole = file.read_text().replace("- sat-sun", "- sun")
    file.write_text(
        whole[: whole.index("- name: elsewhere")] + whole[whole.index("- name: nightly") :]
    )
    plan = with_calendar.json("schedules", "plan", str(file))
    assert (plan["changed"], plan["unchanged"]) == ([], ["nightly", "off", "often"])
    affected = {item["name"]: item["runs"]["counts"] for item in plan["affected"]}
    assert list(affected) == ["elsewhere", "often"]
    for name, of_a_day in (("elsewhere", 24), ("often", 288)):
        assert 3 * of_a_day < affected[name]["come"] <= 5 * of_a_day
        assert (affected[name]["gone"], affected[name]["moved"]) == (0, 0)
    told = with_calendar.done("schedules", "plan", str(file))
    come = affected["often"]["come"]
    assert (
        "~ often, unchanged itself: its calendar holidays changes; runs of the next 30 days: "
        f"{come} come\n" in told
    )


def test_a_schedule_that_changes_with_its_calendar_is_told_once_and_words_move_no_run(
    with_calendar, file
):
    with_calendar.done("schedules", "export", str(file))
    text = file.read_text()
    file.write_text(text.replace("- sat-sun", "- sun").replace("every: 300", "every: 600"))
    plan = with_calendar.json("schedules", "plan", str(file))
    assert ([item["name"] for item in plan["changed"]], plan["affected"]) == (["often"], [])
    file.write_text(
        text.replace("  timezone: Europe/Berlin", "  timezone: Europe/Berlin\n  description: ours")
    )
    plan = with_calendar.json("schedules", "plan", str(file))
    assert ([item["name"] for item in plan["calendars"]], plan["affected"]) == (["holidays"], [])


def test_calendars_that_a_set_does_not_have_are_never_pruned(with_calendar, file):
    file.write_text("version: 1\nschedules: []\n")
    with_calendar.done("schedules", "apply", str(file), "--prune")
    assert with_calendar.services.schedules.names() == []
    assert with_calendar.services.calendars.names() == ["holidays", "unused"]


@pytest.mark.parametrize(
    ("calendars", "schedule", "said"),
    [
        (
            "[{name: new, excluded: [someday]}]",
            "every: 60",
            "calendars[0].excluded[0] (line 2): 'someday' is neither",
        ),
        (
            "[{name: new, excluded: [sun]}]",
            "every: 0.1",
            "schedules[0].when.every (line 4): an interval of 0.1",
        ),
        (
            "[{name: other, excluded: [sun]}]",
            "every: 60",
            "schedules[0].window.calendar (line 4): calendar 'new' is unk",
        ),
    ],
)
def test_a_fault_in_calendars_or_schedules_saves_neither(stored, file, calendars, schedule, said):
    file.write_text(
        f"version: 1\ncalendars: {calendars}\nschedules:\n"
        f"- {{name: a, job: demo.plain, when: {{kind: interval, {schedule}}}, window: {{calendar: "
        f"new}}}}\n"
    )
    before = stored.written()
    assert said in stored.refused("schedules", "apply", str(file))
    assert stored.written() == before


@pytest.mark.parametrize("moved", ["calendar", "schedule"])
def test_what_somebody_has_changed_since_the_plan_keeps_calendars_and_schedules_as_they_are(
    with_calendar, file, moved
):
    with_calendar.done("schedules", "export", str(file))
    text = file.read_text().replace("sat-sun", "sun").replace("every: 300", "every: 600")
    services = with_calendar.services
    seen = plan_text(text, services.schedules, services.calendars, services.catalogue, utc_now())
    if moved == "calendar":
        with_calendar.done("calendars", "set", "holidays", "--add", "--weekly", "mon")
    else:
        with_calendar.done("schedules", "edit", "often", "--owner", "grace")
    before = with_calendar.written()
    with pytest.raises(StaleRevision):
        apply(seen, services.schedules, edit=Edit(actor="ada", now=utc_now()))
    assert with_calendar.written() == before


def test_an_import_of_a_set_replaces_calendars_only_when_asked(with_calendar, file):
    with_calendar.done("schedules", "export", str(file))
    file.write_text(file.read_text().replace("sat-sun", "sun"))
    assert with_calendar("schedules", "import", str(file)).exit_code == 1
    assert with_calendar.services.calendars.get("holidays").revision == 1
    told = with_calendar.json("schedules", "import", str(file), "--replace")
    assert told["calendars"] == [{"name": "holidays", "outcome": "replaced"}]
    assert with_calendar.services.calendars.get("holidays").revision == 2
