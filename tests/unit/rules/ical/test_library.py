"""What is relied on of icalendar and recurring-ical-events, and that we agree with them on whole
files.
"""

import subprocess
import sys
from datetime import date, datetime, timedelta

import icalendar
import pytest
import recurring_ical_events
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scheduler.rules.calendars.ical import library
from scheduler.rules.calendars.ical.library import Instance, SeriesEvent
from tests.support.icalendar import event, file, imported

FIRST = date(2027, 1, 1)
DAY = timedelta(days=1)


def test_the_libraries_are_not_loaded_at_start_up() -> None:
    code = (
        "import sys, scheduler.cli.calendars, scheduler.rules.calendars.icalendar\n"
        "print([name for name in ('icalendar', 'recurring_ical_events', 'dateutil.rrule') if "
        "name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_series_is_made_of_its_start_its_dates_and_its_changes() -> None:
    series = SeriesEvent(FIRST, starts=[FIRST + DAY, FIRST + 2 * DAY], excluded=[FIRST + DAY])
    change = SeriesEvent(FIRST + 9 * DAY, recurrence_id=FIRST + 2 * DAY)
    assert library.instances([series, change]) == [
        Instance(0, FIRST),
        Instance(1, FIRST + 9 * DAY),
    ]


def test_of_two_changes_of_one_instance_the_newer_counts() -> None:
    series = SeriesEvent(FIRST)
    old = SeriesEvent(FIRST + DAY, sequence=1, recurrence_id=FIRST)
    new = SeriesEvent(FIRST + 2 * DAY, sequence=2, recurrence_id=FIRST)
    for events in ([series, old, new], [series, new, old]):
        (found,) = library.instances(events)
        assert found.start == FIRST + 2 * DAY


def test_a_change_of_the_later_instances_describes_them() -> None:
    at = datetime(2027, 1, 1, 9)  # noqa: DTZ001 - a wall time
    series = SeriesEvent(at, starts=[at + DAY, at + 2 * DAY])
    change = SeriesEvent(
        at + DAY + timedelta(hours=1), recurrence_id=at + DAY, this_and_future=True
    )
    assert library.instances([series, change]) == [
        Instance(0, at),
        Instance(1, at + DAY + timedelta(hours=1)),
        Instance(1, at + 2 * DAY + timedelta(hours=1)),
    ]


def test_an_instance_moved_by_thousands_of_years_is_an_overflow() -> None:
    series = SeriesEvent(FIRST, starts=[FIRST + DAY])
    with pytest.raises(OverflowError):
        library.instances(
            [
                series,
                SeriesEvent(date(5, 1, 1), recurrence_id=date(9000, 1, 1), this_and_future=True),
            ]
        )


def test_microsofts_names_and_escaped_text_are_read() -> None:
    assert library.windows_zone("W. Europe Standard Time") == "Europe/Berlin"
    assert library.windows_zone("Europe/Berlin") is None
    assert library.plain_text(r"a\, b\; c\\n d\ne") == "a, b; c\\n d\ne"


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "INTERVAL": st.integers(1, 4).map(str),
        "BYMONTH": st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True).map(
            lambda months: ",".join(map(str, months))
        ),
        "BYDAY": st.lists(
            st.sampled_from(["MO", "WE", "FR", "SA"]), min_size=1, max_size=2, unique=True
        ).map(",".join),
    },
)
BOUND = st.sampled_from(["", "COUNT=7", "UNTIL=20280615", "COUNT=30"])


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"{name}={value}" for name, value in draw(PARTS).items()]
    bound = draw(BOUND)
    return ";".join([f"FREQ={frequency}", *parts, *([bound] if bound else [])])


def text_of(day: date) -> str:
    return f"{day:%Y%m%d}"


DAYS = st.integers(0, 700).map(lambda number: date(2026, 6, 1) + number * DAY)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A series of whole days, with dates added, left out, moved and cancelled."""
    begins = draw(DAYS)
    lines = [f"DTSTART;VALUE=DATE:{text_of(begins)}"]
    lines += [f"RRULE:{rule}" for rule in draw(st.lists(rules(), max_size=2))]
    for name in ("RDATE", "EXDATE"):
        dates = draw(st.lists(DAYS, max_size=3, unique=True))
        if dates:
            lines.append(f"{name};VALUE=DATE:{','.join(map(text_of, dates))}")
    changes = [
        event(
            "UID:a",
            f"RECURRENCE-ID;VALUE=DATE:{text_of(at)}",
            f"DTSTART;VALUE=DATE:{text_of(to)}",
            f"STATUS:{draw(st.sampled_from(['CONFIRMED', 'CANCELLED']))}",
        )
        for at, to in draw(
            st.lists(st.tuples(DAYS, DAYS), max_size=3, unique_by=lambda pair: pair[0])
        )
    ]
    return file(event("UID:a", *lines), *changes)


def by_the_library(text: str, until: date) -> set[date]:
    """The days of a file when the library reads it whole, its rules by python-dateutil."""
    calendar = icalendar.Calendar.from_ical(text)
    found = recurring_ical_events.of(calendar).between(date(1970, 1, 1), date(2060, 1, 1))
    return {
        one["DTSTART"].dt
        for one in found
        if one.get("STATUS") != "CANCELLED" and one["DTSTART"].dt <= until
    }


@settings(deadline=timedelta(seconds=5))
@given(text=files())
def test_a_file_has_the_days_that_the_library_finds_in_it(text: str) -> None:
    until = date(2029, 12, 31)
    expected = by_the_library(text, until)
    assume(expected and not rule_is_refused(text))
    found = imported(text, until=until).calendar
    assert {one.first for one in found.days if one.first <= until} == expected


def rule_is_refused(text: str) -> bool:
    """A rule that ends before it begins, or never fires, is left out here, and empty there."""
    return imported(text + file(event("DTSTART:20270501"))).left_out != ()
