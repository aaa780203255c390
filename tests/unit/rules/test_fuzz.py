"""Whatever is written, only our own errors come back, and they come back soon."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from scheduler.errors import BeatdeskError
from scheduler.rules.calendars import icalendar
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.check import check_name, check_when
from scheduler.rules.crontab import dialect, fields
from scheduler.rules.explain.words import describe
from scheduler.rules.model.spec import CrontabWhen, RruleWhen
from scheduler.rules.rrule import text as recurrence_text
from scheduler.rules.ticks import next_ticks
from scheduler.rules.time import zones
from tests.support.builders import NOON, every

NEARLY_CRON = st.text(alphabet="0123456789*/-,LHW#?@()lh \tmonfrisatudj\u0663\u00b2", max_size=40)
FIVE = st.lists(
    st.text(alphabet="0123456789*/-,LHW#?()monfri\u0663\u00b2", min_size=1, max_size=9),
    min_size=5,
    max_size=5,
)
NEARLY_RRULE = st.lists(
    st.builds(
        lambda name, value: f"{name}={value}",
        st.sampled_from(
            [
                "FREQ",
                "INTERVAL",
                "COUNT",
                "UNTIL",
                "BYDAY",
                "BYHOUR",
                "BYMONTHDAY",
                "BYSETPOS",
                "WKST",
                "X",
            ]
        ),
        st.sampled_from(["DAILY", "WEEKLY", "YEARLY", "MINUTELY", "MO", "-1FR", "20301231T000000Z"])
        | st.text(alphabet="0123456789-+,MOFRTZ\u0663", max_size=10),
    ),
    max_size=6,
).map(";".join)
NEARLY_ICALENDAR = st.lists(
    st.sampled_from(
        [
            "BEGIN:VCALENDAR",
            "END:VCALENDAR",
            "BEGIN:VEVENT",
            "END:VEVENT",
            "DTSTART:20261224",
            "DTSTART;TZID=Europe/Berlin:20261224T180000",
            "DTSTART;TZID=Nowhere:20261224T180000",
            "DTEND:99991231",
            "DTEND:20261226T100000Z",
            "DURATION:P9999W",
            "DURATION:PT",
            "RRULE:FREQ=YEARLY;COUNT=3",
            "RRULE:FREQ=DAILY;BYHOUR=25",
            "EXDATE:20261224",
            "EXDATE:,",
            "EXDATE:20261224,20261225T100000Z",
            "RDATE:20261225",
            "RDATE:20261225T100000Z/PT1H,20261226T100000Z/20261225T100000Z",
            "RRULE:FREQ=WEEKLY;UNTIL=20261231T230000Z;",
            "EXRULE:FREQ=DAILY",
            "UID:a",
            "SEQUENCE:1",
            "STATUS:CANCELLED",
            "RECURRENCE-ID:20261224",
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20261225T100000Z",
            "DTSTART:00010101T000000",
            "DTSTART:99991231",
            "BEGIN:VTIMEZONE",
            "TZID:Nowhere",
            "BEGIN:STANDARD",
            "DTSTART:16010101T000000",
            "TZOFFSETFROM:+0100",
            "TZOFFSETTO:+0200",
            "END:STANDARD",
            "END:VTIMEZONE",
            "SUMMARY:\x00",
            " folded",
            ":",
            ";;;:",
        ]
    )
    | st.text(max_size=20),
    max_size=12,
).map("\n".join)


def only_our_own(call: Any, *arguments: Any, **named: Any) -> Any:
    """Call it; an error of ours is an answer, any other fails the test."""
    try:
        return call(*arguments, **named)
    except BeatdeskError as error:
        said = str(error)
    assert 0 < len(said) < 1000
    return None


@given(
    text=st.text(max_size=60) | NEARLY_CRON | FIVE.map(" ".join),
    match=st.sampled_from(["and", "or"]),
)
def test_any_crontab_text(text: str, match: str) -> None:
    only_our_own(fields.parse, text)
    resolved = only_our_own(dialect.resolve, text, "some schedule")
    when = CrontabWhen(crontab=text, resolved=resolved, day_match=match)
    only_our_own(describe, when)
    only_our_own(check_when, when, now=NOON)
    only_our_own(next_ticks, when, NOON, 3)


@settings(deadline=timedelta(seconds=2))
@given(text=st.text(max_size=60) | NEARLY_RRULE)
def test_any_rrule_text(text: str) -> None:
    when = RruleWhen(rrule=text, dtstart=NOON, timezone="Europe/Berlin")
    if only_our_own(recurrence_text.parse, when) is not None:
        only_our_own(next_ticks, when, NOON, 3)
        only_our_own(describe, when)


@settings(deadline=timedelta(seconds=2))
@given(text=NEARLY_ICALENDAR | st.text(max_size=100))
def test_any_icalendar_text(text: str) -> None:
    found = only_our_own(icalendar.read, text, name="c", until=date(2030, 1, 1))
    assert found is None or isinstance(found.calendar, Calendar)


@given(name=st.text(max_size=50))
def test_any_name_of_a_zone_or_a_schedule(name: str) -> None:
    only_our_own(zones.zone, name)
    only_our_own(check_name, name)


@given(seconds=st.floats())
def test_any_interval(seconds: float) -> None:
    only_our_own(check_when, every(seconds, NOON), now=NOON)


@pytest.mark.parametrize("resolved", ["", "x", "* * * *", "H * * * *", "99 * * * *"])
def test_a_resolved_text_that_somebody_made_up_is_not_believed(resolved: str) -> None:
    only_our_own(next_ticks, CrontabWhen(crontab="H * * * *", resolved=resolved), NOON, 1)
    assert next_ticks(CrontabWhen(crontab="0 * * * *", resolved=resolved), NOON, 1) == [
        NOON + timedelta(hours=1)
    ]


def test_a_wrong_shape_is_refused_by_the_model() -> None:
    with pytest.raises(ValidationError):
        RruleWhen(rrule="FREQ=DAILY", dtstart="2026-01-01T00:00:00")  # type: ignore[arg-type]
