"""Files from the field: the days that they exclude, and the events that are left out."""

from datetime import date
from pathlib import Path

from tests.support.icalendar import complete, days, imported

FILES = Path(__file__).parent / "files"


def test_moved_holidays_are_excluded_where_they_are_moved_to() -> None:
    text = (FILES / "moved-holidays.ics").read_text()
    found = days(complete(text, until=date(2036, 12, 31)))
    assert [day for day in found if day[:4] in ("2026", "2027")] == [
        "2026-04-03",
        "2026-12-28",
        "2027-03-26",
        "2027-12-26",
    ]
    assert found[-1] == "2036-12-26"


def test_bad_old_events_cost_themselves_alone() -> None:
    text = (FILES / "one-bad-old-event.ics").read_text()
    found = imported(text, until=date(2030, 12, 31))
    years = range(2025, 2031)
    coming = [day for day in days(found.calendar) if day >= "2025-01-01"]
    expected = [f"{year}-{day}" for year in years for day in ("07-05", "10-03")]
    assert coming == sorted([*expected, "2027-05-01"])
    assert days(found.calendar)[0] == "1970-07-05"
    assert [(one.line, one.title) for one in found.left_out] == [
        (10, "An event of 2014 whose end lacks a digit"),
        (16, "A series that ended before it began"),
        (22, "A whole day that ends at a time"),
    ]
    typo, ended, mixed = (one.reason for one in found.left_out)
    assert typo.startswith("DTEND '2014930' is not a day or a moment, as 20271224")
    assert ended.startswith("UNTIL=20091106 lies before the start 2009-11-28")
    assert mixed.startswith("DTSTART and DTEND are not of the same kind; write both as dates")
