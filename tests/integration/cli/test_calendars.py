"""`beatdesk calendars`, and `--calendar` of schedules."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import Commands

ICS = """BEGIN:VCALENDAR
BEGIN:VEVENT
SUMMARY:Christmas
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20261227
END:VEVENT
END:VCALENDAR
"""


def make(beatdesk: Commands, *words: str) -> None:
    beatdesk.done("calendars", "set", "holidays", *(words or ("--weekly", "sat-sun")))


def test_a_calendar_is_made_shown_listed_and_edited(
    beatdesk: Commands, record: Callable[[], None]
) -> None:
    said = beatdesk.done(
        *("calendars", "set", "holidays", "--tz", "Europe/Berlin", "--date", "2026-12-31 New Year"),
        *(
            "--range",
            "2026-12-24..2026-12-26",
            "--weekly",
            "sat-sun",
            "--hours",
            "mon-fri 22:00-06:00",
        ),
        *("--description", "closed", "--comment", "agreed"),
    )
    assert said.startswith("holidays saved as revision 1: sat-sun, mon-fri 22:00-06:00")
    beatdesk.done("calendars", "set", "holidays", "--add", "--date", "2027-01-01")
    body = beatdesk.json("calendars", "show", "holidays")
    assert body["excluded"] == [
        "sat-sun",
        "mon-fri 22:00-06:00",
        "2026-12-24..2026-12-26",
        "2026-12-31 New Year",
        "2027-01-01",
    ]
    assert (body["timezone"], body["description"], body["revision"]) == (
        "Europe/Berlin",
        "closed",
        2,
    )
    beatdesk.done("calendars", "set", "holidays", "--date", "2027-05-01")
    assert "2027-05-01" in beatdesk.done("calendars", "show", "holidays")
    assert [item["excluded"] for item in beatdesk.json("calendars", "list")["items"]] == [
        ["2027-05-01"]
    ]
    assert "Europe/Berlin  2027-05-01" in beatdesk.done("calendars", "list")
    record()
    items = beatdesk.json("calendars", "revisions", "holidays")["items"]
    assert [(item["revision"], item["action"], item["comment"]) for item in items] == [
        (3, "edited", ""),
        (2, "edited", ""),
        (1, "created", "agreed"),
    ]
    assert "agreed" in beatdesk.done("calendars", "revisions", "holidays")


def test_an_icalendar_file_is_imported_and_weekly_hours_stay(
    beatdesk: Commands, tmp_path: Path
) -> None:
    file = tmp_path / "holidays.ics"
    file.write_text(ICS)
    make(beatdesk, "--weekly", "sun", "--date", "2026-11-11")
    beatdesk.done("calendars", "import", "holidays", str(file), "--tz", "Europe/Berlin")
    body = beatdesk.json("calendars", "show", "holidays")
    assert (body["excluded"], body["timezone"]) == (
        ["sun", "2026-12-24..2026-12-26 Christmas"],
        "Europe/Berlin",
    )
    file.write_text("hello")
    refused = beatdesk.refused_json("calendars", "import", "holidays", str(file))
    assert refused["field"] == "calendar"
    assert "line 1 of the iCalendar file: 'hello' is not NAME:VALUE" in refused["error"]


def test_events_that_an_import_leaves_out_are_named_with_their_lines(
    beatdesk: Commands, tmp_path: Path
) -> None:
    file = tmp_path / "holidays.ics"
    bad = "BEGIN:VEVENT\nSUMMARY:Typo\nDTSTART:2027\nEND:VEVENT\n"
    file.write_text(ICS.replace("END:VCALENDAR", f"{bad}END:VCALENDAR"))
    lines = beatdesk.done("calendars", "import", "holidays", str(file)).splitlines()
    assert lines == [
        "holidays saved as revision 1: 2026-12-24..2026-12-26 Christmas",
        "1 event of the file is left out:",
        "  line 7 Typo: DTSTART '2027' is not a day or a moment, as 20271224 or 20271224T180000Z",
    ]
    body = beatdesk.json("calendars", "import", "holidays", str(file))
    assert body["left_out"] == [
        {"line": 7, "title": "Typo", "reason": lines[2].partition("Typo: ")[2]}
    ]
    assert (body["excluded"], body["revision"]) == (["2026-12-24..2026-12-26 Christmas"], 2)
    file.write_text(ICS.replace("END:VCALENDAR", f"{bad * 25}END:VCALENDAR"))
    lines = beatdesk.done("calendars", "import", "holidays", str(file)).splitlines()
    assert lines[1] == "25 events of the file are left out:"
    assert (len(lines), lines[-1]) == (23, "  and 5 more; --json names all")
    file.write_text(ICS)
    assert beatdesk.json("calendars", "import", "holidays", str(file))["left_out"] == []
    assert len(beatdesk.done("calendars", "import", "holidays", str(file)).splitlines()) == 1


def test_a_schedule_names_a_calendar_that_is_then_kept(beatdesk: Commands) -> None:
    refused = beatdesk.refused_json(
        *["schedules", "add", "s", "demo.plain", "--every", "60", "--calendar", "holidays"]
    )
    assert refused["field"] == "calendar"
    make(beatdesk)
    beatdesk.done(
        *["schedules", "add", "s", "demo.plain", "--every", "60", "--calendar", "holidays"]
    )
    assert beatdesk.json("schedules", "show", "s")["window"]["calendar"] == "holidays"
    assert "'s' names it" in beatdesk.refused("calendars", "delete", "holidays", "--yes")
    assert beatdesk.json("calendars", "show", "holidays")["used_by"] == ["s"]
    beatdesk.done(*["schedules", "edit", "s", "--calendar", "none"])
    beatdesk.done("calendars", "delete", "holidays", "--yes")
    assert beatdesk.json("calendars", "list")["items"] == []


def test_next_ticks_lie_outside_the_calendar_and_one_that_leaves_none_is_told(
    beatdesk: Commands,
) -> None:
    make(beatdesk, "--weekly", "mon-sat")
    beatdesk.done(
        *["schedules", "add", "s", "demo.plain", "--cron", "@daily", "--calendar", "holidays"]
    )
    ticks = beatdesk.json("schedules", "next", "s", "-n", "3", "--from", "2026-11-21T12:00:00Z")[
        "ticks"
    ]
    assert ticks == ["2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z", "2026-12-06T00:00:00Z"]
    make(beatdesk, "--weekly", "mon-sun")
    body = beatdesk.json("schedules", "next", "s")
    assert body["ticks"] == []
    assert "It never fires: the calendar 'holidays' excludes every tick" in body["warnings"][0]


@pytest.mark.parametrize(
    ("words", "field", "message"),
    [
        (["--date", "24.12.2026"], "date", "date: '24.12.2026' is not a day; write 2026-12-24"),
        (
            ["--date", "sat"],
            "date",
            "date: 'sat' is of another kind; --date takes one such as '2026-12-24'",
        ),
        (
            ["--range", "2026-12-26..2026-12-24"],
            "range",
            "2026-12-24 lies before 2026-12-26; exchange them",
        ),
        (["--weekly", "someday"], "weekly", "'someday' is neither a day of the week"),
        (["--hours", "mon 25:00-26:00"], "hours", "'25:00' is not a time of day"),
        (["--hours", "sat"], "hours", "this belongs to --weekly"),
        (["--nothing", "--tz", "Mars/Base"], None, "Mars/Base"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_field_and_the_remedy(
    beatdesk: Commands, words: list[str], field: str | None, message: str
) -> None:
    refused = beatdesk.refused_json("calendars", "set", "c", *words)
    assert message in refused["error"]
    assert field in (None, refused["field"])
    assert beatdesk.json("calendars", "list")["items"] == []


def test_what_is_not_there_or_has_been_changed_is_refused(beatdesk: Commands) -> None:
    assert "there is no calendar 'c'" in beatdesk.refused("calendars", "show", "c")
    assert "there is no calendar 'c'" in beatdesk.refused("calendars", "delete", "c", "--yes")
    assert "the history knows no calendar 'c'" in beatdesk.refused("calendars", "revisions", "c")
    assert "give the excluded times" in beatdesk.misused("calendars", "set", "c")
    make(beatdesk)
    make(beatdesk)
    assert "revision 1 was edited, revision 2 is stored" in beatdesk.refused(
        "calendars", "set", "holidays", "--weekly", "sun", "--revision", "1"
    )
    assert "add --yes" in beatdesk.refused("calendars", "delete", "holidays")


SET = """version: 1
schedules:
- name: s
  job: demo.plain
  when: {kind: crontab, crontab: "0 0 * * *"}
  window: {calendar: holidays}
"""


def test_a_set_names_calendars_that_there_are_and_its_plan_counts_with_them(
    beatdesk: Commands, tmp_path: Path
) -> None:
    file = tmp_path / "set.yaml"
    file.write_text(SET)
    assert (
        "schedules[0].window.calendar (line 6): calendar 'holidays' is unknown"
        in beatdesk.refused("schedules", "plan", str(file))
    )
    make(beatdesk, "--weekly", "mon-fri")
    runs = beatdesk.json("schedules", "plan", str(file))["created"][0]["runs"]["counts"]
    assert runs["come"] in {8, 9, 10}
    beatdesk.done("schedules", "apply", str(file))
    assert "calendar: holidays" in beatdesk.done("schedules", "export")
