"""Exclusion calendars: days, spans and weekly hours, in a zone, and from iCalendar files."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from scheduler.errors import Refused
from scheduler.rules.calendars import icalendar
from scheduler.rules.calendars.exclusions import (
    Calendar,
    Days,
    Hours,
    Span,
    excludes,
    free_after,
    split,
)
from tests.support.builders import NOON, at

CHRISTMAS = Days(first=date(2026, 12, 24), last=date(2026, 12, 26), title="Christmas")
NIGHTS = Hours(days=frozenset({"mon", "tue"}), begins=time(22), ends=time(6))
WEEKEND = Hours(days=frozenset({"sat", "sun"}))


def berlin(*days: Days, weekly: tuple[Hours, ...] = (), spans: tuple[Span, ...] = ()) -> Calendar:
    return Calendar(name="c", timezone="Europe/Berlin", days=days, weekly=weekly, spans=spans)


@pytest.mark.parametrize(
    ("moment", "excluded"),
    [
        ("2026-12-23T22:59:59Z", False),
        ("2026-12-23T23:00Z", True),
        ("2026-12-26T22:59:59Z", True),
        ("2026-12-26T23:00Z", False),
    ],
)
def test_whole_days_are_those_of_the_calendars_zone(moment: str, excluded: bool) -> None:
    assert excludes(berlin(CHRISTMAS), at(moment)) is excluded


@pytest.mark.parametrize(
    ("moment", "excluded"),
    [
        ("2026-11-23T20:59:59Z", False),  # Monday, 21:59 in Berlin
        ("2026-11-23T21:00Z", True),
        ("2026-11-24T04:59:59Z", True),  # Tuesday morning
        ("2026-11-24T05:00Z", False),
        ("2026-11-25T04:59:59Z", True),  # Wednesday morning is still Tuesday's night
        ("2026-11-25T21:00Z", False),
        ("2026-11-23T04:00Z", False),  # Sunday's night
    ],
)
def test_weekly_hours_may_go_past_midnight(moment: str, excluded: bool) -> None:
    assert excludes(berlin(weekly=(NIGHTS,)), at(moment)) is excluded


def test_hours_without_times_are_the_whole_day() -> None:
    assert excludes(berlin(weekly=(WEEKEND,)), at("2026-11-20T23:00Z"))
    assert not excludes(berlin(weekly=(WEEKEND,)), at("2026-11-20T22:59:59Z"))
    assert free_after(berlin(weekly=(WEEKEND,)), NOON) == at("2026-11-22T23:00Z")


def test_what_excludes_may_follow_one_another() -> None:
    spans = (Span(begins=at("2026-12-26T23:00Z"), ends=at("2026-12-27T12:00Z")),)
    year_end = Days(first=date(2026, 12, 28), last=date(2027, 1, 1))
    calendar = berlin(
        CHRISTMAS, year_end, Days(first=date(2026, 12, 25), last=date(2026, 12, 25)), spans=spans
    )
    assert free_after(calendar, at("2026-12-24T12:00Z")) == at("2026-12-27T12:00Z")
    assert free_after(calendar, at("2026-12-27T23:00Z")) == at("2027-01-01T23:00Z")
    assert free_after(calendar, NOON) == NOON


def test_a_calendar_that_is_closed_for_ever_has_no_free_moment() -> None:
    assert free_after(berlin(Days(first=date(2000, 1, 1), last=date.max)), NOON) is None
    always = Hours(days=frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"}))
    assert free_after(berlin(weekly=(always,)), NOON) is None


@given(seconds=st.integers(0, 400 * 86400))
def test_the_first_free_moment_is_free_and_all_before_it_are_not(seconds: int) -> None:
    calendar = berlin(
        CHRISTMAS, Days(first=date(2027, 3, 28), last=date(2027, 3, 28)), weekly=(NIGHTS, WEEKEND)
    )
    moment = NOON + timedelta(seconds=seconds)
    free = free_after(calendar, moment)
    assert free is not None
    assert not excludes(calendar, free)
    assert free == moment or excludes(calendar, free - timedelta(seconds=1))
    assert (
        all(excludes(calendar, moment + (free - moment) * step / 10) for step in range(10))
        or free == moment
    )


@pytest.mark.parametrize(
    ("kind", "parts", "word"),
    [
        (Days, {"first": "2026-12-26", "last": "2026-12-24"}, "exchange"),
        (Span, {"begins": "2026-12-26T00:00Z", "ends": "2026-12-26T00:00Z"}, "exchange"),
        (Hours, {"days": []}, "at least 1"),
        (Hours, {"days": ["mon"], "begins": "22:00+01:00"}, "without one"),
    ],
)
def test_what_cannot_be_is_refused(kind: type, parts: dict[str, object], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        kind(**parts)


FILE = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:Christ
 mas\\, all of it
DTSTART;VALUE=DATE:20261224
DTEND;VALUE=DATE:20261227
BEGIN:VALARM
TRIGGER:-PT15M
END:VALARM
END:VEVENT
BEGIN:VEVENT
SUMMARY:New Year
DTSTART;VALUE=DATE:20200101
RRULE:FREQ=YEARLY
EXDATE;VALUE=DATE:20220101
END:VEVENT
BEGIN:VEVENT
SUMMARY:Stocktaking
DTSTART;TZID="Europe/Berlin":20261231T180000
DURATION:PT4H30M
END:VEVENT
BEGIN:VEVENT
SUMMARY:Party
STATUS:CANCELLED
DTSTART:20261231T180000Z
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_an_icalendar_file_becomes_a_calendar(ending: str) -> None:
    calendar = icalendar.read(
        FILE.replace("\n", ending),
        name="holidays",
        timezone="Europe/Berlin",
        until=date(2024, 6, 1),
    ).calendar
    titled = [(days.title, f"{days.first}", f"{days.last}") for days in calendar.days]
    assert titled == [
        ("Christmas, all of it", "2026-12-24", "2026-12-26"),
        ("New Year", "2020-01-01", "2020-01-01"),
        ("New Year", "2021-01-01", "2021-01-01"),
        ("New Year", "2023-01-01", "2023-01-01"),
        ("New Year", "2024-01-01", "2024-01-01"),
    ]
    (span,) = calendar.spans
    assert (span.begins, span.ends) == (at("2026-12-31T17:00Z"), at("2026-12-31T21:30Z"))


def event(*lines: str) -> str:
    return "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1 of the iCalendar file: the file has no event"),
        ("<html>", "is this an iCalendar file?"),
        (event("SUMMARY:x"), "line 2 of the iCalendar file: the event has no DTSTART"),
        (event("DTSTART:tomorrow"), "DTSTART 'tomorrow' is not a day or a moment"),
        (event("DTSTART:20261332"), "is not a day or a moment"),
        (event("DTSTART:20261224T250000"), "is not a day or a moment"),
        (event("DTSTART;TZID=Berlin:20261224T200000"), "did you mean 'Europe/Berlin'?"),
        (event("DTSTART:20261224", "DTEND:20261224T100000Z"), "not of the same kind"),
        (event("DTSTART:20261224", "DTEND:20261220"), "ends before it begins"),
        (event("DTSTART:20261224", "DURATION:long"), "DURATION 'long'"),
        (event("DTSTART:20261224", "RRULE:FREQ=OFTEN"), "FREQ=OFTEN"),
        (event("DTSTART:20001224T000000Z", "RRULE:FREQ=MINUTELY"), "more than 10000 events"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224", "VEVENT has no end"),
        ("BEGIN:VCALENDAR\nEND:VEVENT", "ends what did not begin"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_its_line(text: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        icalendar.read(text, name="c", until=date(2030, 1, 1))
    assert refused.value.field == "calendar"
    assert words in str(refused.value)


def test_the_moment_is_what_counts_not_how_it_is_written() -> None:
    local = datetime(2026, 12, 24, 12, tzinfo=UTC).astimezone()
    assert excludes(berlin(CHRISTMAS), local)


@given(seconds=st.integers(0, 400 * 86400), length=st.integers(1, 40 * 86400))
@example(seconds=7477200, length=3456000)  # hours that lie whole in the gap of 28 March 2027
def test_a_time_is_split_without_a_gap_into_what_is_free_and_what_is_not(
    seconds: int, length: int
) -> None:
    spans = (Span(begins=at("2026-12-30T10:00Z"), ends=at("2026-12-30T12:00Z")),)
    calendar = berlin(
        CHRISTMAS, weekly=(NIGHTS, Hours(days=frozenset({"sun"}), begins=time(2, 30), ends=time(3)))
    ).model_copy(update={"spans": spans})
    after = NOON + timedelta(seconds=seconds)
    until = after + timedelta(seconds=length)
    stretches = list(split(calendar, after, until))
    assert (stretches[0].after, stretches[-1].until) == (after, until)
    for one, following in pairwise(stretches):
        assert (one.until, one.is_excluded) == (following.after, not following.is_excluded)
    for stretch in stretches:
        inside = (
            stretch.after + timedelta(microseconds=1),
            stretch.after + (stretch.until - stretch.after) / 2,
            stretch.until,
        )
        assert [excludes(calendar, moment) for moment in inside] == [stretch.is_excluded] * 3


@pytest.mark.parametrize(
    ("begins", "ends", "first", "free"),
    [
        (
            time(2, 30),
            time(6),
            "2026-03-29T01:00Z",
            "2026-03-29T04:00Z",
        ),  # 02:30 is skipped: right after the gap
        (time(1), time(2, 30), "2026-03-29T00:00Z", "2026-03-29T01:00Z"),
        (
            time(2, 30),
            time(4),
            "2026-10-25T00:30Z",
            "2026-10-25T03:00Z",
        ),  # 02:30 comes twice: from the first
        (time(1), time(2, 30), "2026-10-24T23:00Z", "2026-10-25T01:30Z"),  # until the second
    ],
)
def test_weekly_hours_on_days_when_the_clock_changes(
    begins: time, ends: time, first: str, free: str
) -> None:
    calendar = berlin(weekly=(Hours(days=frozenset({"sun"}), begins=begins, ends=ends),))
    assert not excludes(calendar, at(first) - timedelta(seconds=1))
    assert excludes(calendar, at(first))
    assert free_after(calendar, at(first)) == at(free)
