"""What a calendar excludes, as lines of text."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import Refused
from scheduler.rules.calendars import text as calendar_text
from scheduler.rules.calendars.exclusions import (
    WEEKDAYS,
    Days,
    Hours,
    Span,
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("line", "part", "kind"),
    [
        ("2026-12-24", Days(first=date(2026, 12, 24), last=date(2026, 12, 24)), "date"),
        (
            "2026-12-24 Eve",
            Days(first=date(2026, 12, 24), last=date(2026, 12, 24), title="Eve"),
            "date",
        ),
        ("2026-12-24..2027-01-01", Days(first=date(2026, 12, 24), last=date(2027, 1, 1)), "range"),
        (
            "2026-12-24T14:00+01:00..2026-12-27T06:00+01:00 Inventory",
            Span(
                begins=datetime(2026, 12, 24, 13, tzinfo=UTC),
                ends=datetime(2026, 12, 27, 5, tzinfo=UTC),
                title="Inventory",
            ),
            "range",
        ),
        ("sat-sun", Hours(days=frozenset({"sat", "sun"})), "weekly"),
        (
            "mon,wed-fri 22:00-06:00",
            Hours(days=frozenset({"mon", "wed", "thu", "fri"}), begins=time(22), ends=time(6)),
            "hours",
        ),
        (
            "sun 00:30-00:00 Backup",
            Hours(days=frozenset({"sun"}), begins=time(0, 30), title="Backup"),
            "hours",
        ),
    ],
)
def test_a_line_reads_as_a_part_and_a_part_writes_as_the_line(
    line: str, part: object, kind: str
) -> None:
    read = calendar_text.read(line, BERLIN)
    assert read == part
    assert calendar_text.line_of(read, BERLIN) == line
    assert calendar_text.kind_of(read) == kind


@pytest.mark.parametrize(
    ("line", "same"),
    [
        ("SAT-SUN", "sat-sun"),
        ("fri-mon", "mon,fri-sun"),
        ("mon 9:00-24:00", "mon 09:00-00:00"),
        ("2026-12-24T14:00..2026-12-24T18:00", "2026-12-24T14:00+01:00..2026-12-24T18:00+01:00"),
        ("2026-12-24T14:00Z..2026-12-24T18:00Z", "2026-12-24T15:00+01:00..2026-12-24T19:00+01:00"),
    ],
)
def test_other_ways_to_write_it_mean_the_same(line: str, same: str) -> None:
    assert calendar_text.line_of(calendar_text.read(line, BERLIN), BERLIN) == same


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2026-13-24", "'2026-13-24' is not a day; write 2026-12-24"),
        ("2026-02-30", "'2026-02-30' is not a day"),
        ("24.12.2026", "'24.12.2026' is not a day"),
        ("1812-01-01", "1812-01-01 is too far away; the years 1970 to 2200"),
        ("2026-12-26..2026-12-24", "2026-12-24 lies before 2026-12-26; exchange them"),
        ("2026-12-24..", "'' is not a day"),
        ("2026-12-24T14:00", "has a time of day but no end"),
        (
            "2026-12-24T25:00..2026-12-25T06:00",
            "'2026-12-24T25:00' is not a time; write 2026-12-24T14:00",
        ),
        ("2026-03-29T02:30..2026-03-29T05:00", "does not exist in Europe/Berlin"),
        ("2026-12-24T14:00..2026-12-24T14:00", "is not later than"),
        ("someday", "'someday' is neither a day of the week (mon, tue"),
        ("mon-", "'' is neither a day of the week"),
        ("mon 25:00-26:00", "'25:00' is not a time of day; use 0:00 to 24:00"),
        ("mon 22:00", "'22:00' is not a span of times of day; write 22:00-06:00"),
        ("mon 22:00–06:00", "is not a span of times of day"),
        ("sat " + "x" * 201, "the title has 201 characters, 200 are allowed"),
        ("sat a\x00b", "a character that cannot be stored"),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused_with_what_is_allowed(
    line: str, message: str
) -> None:
    with pytest.raises(Refused) as refused:
        calendar_text.read(line, BERLIN, field="hours")
    assert message in str(refused.value)
    assert refused.value.field == "hours"


def test_a_fault_in_a_calendar_names_its_line_and_empty_lines_count_for_nothing() -> None:
    with pytest.raises(Refused, match=r"line 3 of excluded: 'never' is neither"):
        calendar_text.calendar_of("c", ["sat-sun", "", "never"])
    assert calendar_text.lines_of(calendar_text.calendar_of("c", ["", " sat-sun ", ""])) == [
        "sat-sun"
    ]
    with pytest.raises(Refused, match="10001 lines, 10000 are allowed"):
        calendar_text.calendar_of("c", ["sat"] * 10_001)


_DAYS = st.dates(date(1970, 1, 1), date(2200, 12, 31))
_LINES = st.one_of(
    st.builds(lambda one, two: f"{min(one, two)}..{max(one, two)}", _DAYS, _DAYS),
    st.builds(lambda day: f"{day} a title", _DAYS),
    st.builds(
        lambda days, begins, ends: f"{','.join(sorted(days))} {begins:%H:%M}-{ends:%H:%M}",
        st.frozensets(st.sampled_from(WEEKDAYS), min_size=1),
        st.times(),
        st.times(),
    ),
)


@given(lines=st.lists(_LINES, max_size=8))
def test_what_is_written_of_a_calendar_reads_back_to_the_same(lines: list[str]) -> None:
    calendar = calendar_text.calendar_of("c", lines, timezone="Europe/Berlin", description="d")
    written = calendar_text.lines_of(calendar)
    again = calendar_text.calendar_of("c", written, timezone="Europe/Berlin", description="d")
    assert calendar_text.lines_of(again) == written
    assert sorted(map(repr, again.days)) == sorted(map(repr, calendar.days))


@given(text=st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    try:
        calendar_text.read(text, BERLIN)
    except Refused:
        return


def test_the_days_of_weekly_hours_are_always_written_in_the_order_of_the_week() -> None:
    days = calendar_text.read("sun,wed,mon,sat,fri", BERLIN).model_dump(mode="json")["days"]
    assert days == ["mon", "wed", "fri", "sat", "sun"]
