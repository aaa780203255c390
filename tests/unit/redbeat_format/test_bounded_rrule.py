"""Rules of RedBeat's: the tick is dateutil's own, and the search for it ends."""

import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dateutil import rrule as dateutil
from hypothesis import given, settings
from hypothesis import strategies as st
from redbeat.schedules import rrule as RedBeatRrule

from scheduler.errors import UnreadableEntry
from scheduler.redbeat import bounded_rrule

START = datetime(2024, 1, 28, 22, 59, 58, tzinfo=UTC)
LONGEST_SEARCH = 5.0
"""Seconds of processor time: far more than the bound takes, on any machine."""


def bounded(frequency: int, **parts: Any) -> Any:
    schedule = RedBeatRrule(frequency, **{"dtstart": START, **parts})
    bounded_rrule.bound(schedule)
    return schedule.rrule


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "interval": st.integers(1, 50),
        "bymonth": st.lists(st.integers(1, 12), min_size=1, max_size=3),
        "bymonthday": st.lists(st.sampled_from([1, 15, 28, -1]), min_size=1, max_size=2),
        "byweekday": st.lists(st.integers(0, 6), min_size=1, max_size=3),
        "byhour": st.lists(st.integers(0, 23), min_size=1, max_size=2),
        "byminute": st.lists(st.integers(0, 59), min_size=1, max_size=2),
        "bysetpos": st.just([1]),
        "count": st.integers(1, 40),
    },
)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    st.sampled_from([dateutil.YEARLY, dateutil.MONTHLY, dateutil.WEEKLY, dateutil.DAILY]),
    st.integers(1, 31),
    st.timedeltas(timedelta(days=-3), timedelta(days=4000)),
    PARTS,
)
def test_a_tick_is_the_one_that_dateutil_finds(
    frequency: int, day: int, passed: timedelta, parts: dict[str, Any]
) -> None:
    start = START.replace(day=day)
    until = None if "count" in parts else START + timedelta(days=9000)
    own = dateutil.rrule(frequency, dtstart=start, until=until, **parts)
    rule = bounded(frequency, dtstart=start, until=until, **parts)
    found = None
    with contextlib.suppress(bounded_rrule.TooMuchWork):  # for a rule that has no tick
        found = rule.after(START + passed)
    assert found == own.after(START + passed)


@pytest.mark.parametrize("frequency", [dateutil.HOURLY, dateutil.MINUTELY, dateutil.SECONDLY])
@pytest.mark.parametrize("interval", [1, 7, 1000])
def test_a_tick_within_a_day_is_the_one_that_dateutil_finds(frequency: int, interval: int) -> None:
    own = dateutil.rrule(frequency, dtstart=START, interval=interval)
    rule = bounded(frequency, interval=interval)
    for seconds in (-1, 0, 1, 59, 61, 3601, 86_399):
        moment = START + timedelta(seconds=seconds)
        assert rule.after(moment) == own.after(moment)


@pytest.mark.parametrize("frequency", range(7))
def test_the_start_of_a_rule_may_lie_long_ago(frequency: int) -> None:
    minutes = {"byhour": list(range(24)), "byminute": list(range(60)), "bysecond": [0]}
    parts = minutes if frequency <= dateutil.DAILY else {}
    moment = datetime(2100, 6, 1, 12, 30, 30, tzinfo=UTC)
    found = bounded(frequency, dtstart=datetime(1900, 1, 1, tzinfo=UTC), **parts).after(moment)
    assert found is not None
    assert found > moment


@pytest.mark.parametrize("frequency", range(7))
def test_a_search_without_an_end_is_given_up(frequency: int) -> None:
    rule = bounded(frequency, bymonth=2, bymonthday=30)
    began = time.process_time()
    with pytest.raises(bounded_rrule.TooMuchWork, match="no tick of its rrule was found in 50000"):
        rule.after(START)
    assert time.process_time() - began < LONGEST_SEARCH


def test_more_ticks_than_the_bound_are_not_counted() -> None:
    with pytest.raises(bounded_rrule.TooMuchWork):
        bounded(dateutil.SECONDLY, count=10**7).after(START + timedelta(days=30))


@pytest.mark.parametrize("interval", [0, -1, 1.5, "2"])
def test_an_interval_that_never_advances_is_refused(interval: Any) -> None:
    schedule = RedBeatRrule(dateutil.DAILY, dtstart=START)
    schedule.interval = interval
    with pytest.raises(UnreadableEntry, match=r"schedule\.interval is .*, not a whole number"):
        bounded_rrule.bound(schedule)


def test_a_part_with_many_values_is_refused_before_it_is_decoded() -> None:
    bounded_rrule.check_size({"byyearday": [1] * bounded_rrule.MOST_VALUES})
    with pytest.raises(UnreadableEntry, match=r"schedule\.byyearday has 401 values; at most 400"):
        bounded_rrule.check_size({"byyearday": [1] * 401})
