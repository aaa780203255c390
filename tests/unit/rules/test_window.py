"""Which ticks count: start, end, number of runs, calendar, pause, skips."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.rules.calendars.exclusions import Calendar, Days
from scheduler.rules.model.spec import (
    OnceWhen,
    Pause,
    Schedule,
    Window,
)
from scheduler.rules.policies.window import (
    bounded_next_tick,
    bounded_ticks,
    is_finished,
    live_next_tick,
    reason,
)
from tests.support.builders import NOON, a_schedule, at, cron, every

DAY = timedelta(days=1)
MONTH_OFF = Calendar(
    name="off",
    days=(Days(first=at("2026-11-21T00:00Z").date(), last=at("2026-12-20T00:00Z").date()),),
)


def daily(**parts: Any) -> Schedule:
    """At six each morning, in UTC."""
    return a_schedule(when=cron("0 6 * * *"), **parts)


def paused(since: datetime, until: datetime | None = None) -> Pause:
    return Pause(reason="works", by="ada", since=since, until=until)


SIX = at("2026-11-22T06:00Z")


@pytest.mark.parametrize(
    ("schedule", "runs", "calendar", "why"),
    [
        (daily(), 0, None, None),
        (daily(window=Window(starts_at=SIX)), 0, None, None),
        (daily(window=Window(starts_at=SIX + timedelta(seconds=1))), 0, None, "window"),
        (daily(window=Window(ends_at=SIX + timedelta(seconds=1))), 0, None, None),
        (daily(window=Window(ends_at=SIX)), 0, None, "finished"),
        (daily(window=Window(max_runs=3)), 2, None, None),
        (daily(window=Window(max_runs=3)), 3, None, "finished"),
        (daily(enabled=False), 0, None, "operator"),
        (daily(skips=[SIX]), 0, None, "operator"),
        (daily(skips=[SIX + DAY]), 0, None, None),
        (daily(paused=paused(NOON)), 0, None, "paused"),
        (daily(paused=paused(SIX)), 0, None, "paused"),
        (daily(paused=paused(SIX + DAY)), 0, None, None),
        (daily(paused=paused(NOON, SIX + DAY)), 0, None, "paused"),
        (daily(paused=paused(NOON, SIX)), 0, None, None),
        (daily(), 0, MONTH_OFF, "calendar"),
        (daily(paused=paused(NOON)), 0, MONTH_OFF, "paused"),
        (daily(window=Window(ends_at=SIX), paused=paused(NOON)), 0, MONTH_OFF, "finished"),
    ],
)
def test_why_a_tick_does_not_run(
    schedule: Schedule, runs: int, calendar: Calendar | None, why: str | None
) -> None:
    assert reason(schedule, SIX, runs=runs, calendar=calendar) == why


@pytest.mark.parametrize(
    ("schedule", "runs", "calendar", "expected"),
    [
        (daily(), 0, None, SIX),
        (daily(window=Window(starts_at=at("2027-01-01T06:00Z"))), 0, None, at("2027-01-01T06:00Z")),
        (daily(window=Window(ends_at=SIX)), 0, None, None),
        (daily(window=Window(max_runs=1)), 1, None, None),
        (daily(enabled=False), 0, None, None),
        (daily(skips=[SIX, SIX + DAY]), 0, None, SIX + 2 * DAY),
        (daily(paused=paused(NOON)), 0, None, None),
        (daily(paused=paused(NOON, SIX)), 0, None, SIX),
        (daily(paused=paused(NOON, SIX + timedelta(hours=1))), 0, None, SIX + DAY),
        (daily(), 0, MONTH_OFF, at("2026-12-21T06:00Z")),
        (daily(window=Window(ends_at=at("2026-12-21T06:00Z"))), 0, MONTH_OFF, None),
        (a_schedule(when=every(1, NOON)), 0, MONTH_OFF, at("2026-12-21T00:00Z")),
        (a_schedule(when=every(1, NOON), paused=paused(NOON, SIX)), 0, None, SIX),
        (a_schedule(when=OnceWhen(at=SIX)), 0, None, SIX),
        (a_schedule(when=OnceWhen(at=NOON)), 0, None, None),
    ],
)
def test_the_next_tick_that_will_run(
    schedule: Schedule, runs: int, calendar: Calendar | None, expected: datetime | None
) -> None:
    assert live_next_tick(schedule, NOON, runs=runs, calendar=calendar) == expected


def test_pause_and_calendar_do_not_matter_for_when_to_look_next() -> None:
    assert bounded_next_tick(daily(paused=paused(NOON), skips=[SIX]), NOON) == SIX


def test_a_one_off_that_has_run_is_finished() -> None:
    assert not is_finished(a_schedule(when=OnceWhen(at=SIX)), NOON)
    assert is_finished(a_schedule(when=OnceWhen(at=SIX)), SIX)


def test_a_schedule_that_nothing_lets_run_is_not_searched_for_ever() -> None:
    closed = Calendar(
        name="never", days=(Days(first=at("2000-01-01T00:00Z").date(), last=date.max),)
    )
    assert live_next_tick(a_schedule(when=every(1, NOON)), NOON, calendar=closed) is None


def test_ticks_in_the_window() -> None:
    window = Window(starts_at=SIX + DAY, ends_at=SIX + 5 * DAY)
    schedule = daily(window=window)
    assert list(bounded_ticks(schedule, NOON, NOON + 90 * DAY)) == [
        SIX + number * DAY for number in (1, 2, 3, 4)
    ]
    limited = daily(window=window.model_copy(update={"max_runs": 3}))
    assert list(bounded_ticks(limited, NOON, NOON + 90 * DAY, runs=1)) == [SIX + DAY, SIX + 2 * DAY]


@given(
    start=st.none() | st.integers(-10, 40),
    end=st.none() | st.integers(-10, 40),
    most=st.none() | st.integers(1, 30),
    runs=st.integers(0, 30),
)
def test_the_ticks_in_the_window_are_those_found_one_by_one(
    start: int | None, end: int | None, most: int | None, runs: int
) -> None:
    moments = [None if days is None else NOON + days * DAY for days in (start, end)]
    schedule = daily(window=Window(starts_at=moments[0], ends_at=moments[1], max_runs=most))
    found, after = [], NOON
    while (
        tick := bounded_next_tick(schedule, after, runs=runs + len(found))
    ) is not None and tick <= NOON + 30 * DAY:
        found.append(tick)
        after = tick
    assert list(bounded_ticks(schedule, NOON, NOON + 30 * DAY, runs=runs)) == found
