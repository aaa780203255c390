"""The ledger of forty schedules of all kinds, through a night with a clock change, absences of
Beat, pauses, a deletion and a calendar: each tick that an independent calculation finds is in exactly one
row, and no row has another.

The calculation: cronsim for crontabs, dateutil for recurrence rules, arithmetic for intervals.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from dateutil.rrule import rrulestr

from scheduler.rules.calendars.exclusions import Calendar, Span
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    RruleWhen,
    When,
    Window,
)
from tests.support.builders import cron, every
from tests.support.ledger.lives import MINUTE, Action, Plot, World

BEGIN = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
"""Berlin's clocks go back at 01:00 UTC, New York's a week later; Adelaide's went on weeks before."""

MINUTES = 8 * 60
END = BEGIN + MINUTES * MINUTE
HOUR = timedelta(hours=1)

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Adelaide")
CRONTABS = ("*/7 * * * *", "30 2 * * *", "0 * * * *", "15,45 1-4 * * *", "*/20 0-3 * * sun")
INTERVALS = (60, 420, 3600)
RRULES = (
    "FREQ=MINUTELY;INTERVAL=13",
    "FREQ=HOURLY;BYMINUTE=5,35",
    "FREQ=DAILY;BYHOUR=1;BYMINUTE=30",
)

CLOSED = Calendar(
    name="closed", spans=[Span(begins=BEGIN + 3 * HOUR, ends=BEGIN + 4 * HOUR + 30 * MINUTE)]
)

ACTIONS: tuple[dict[int, Action], ...] = (
    {},
    {100: ("pause", 0), 200: ("resume", 0)},
    {90: ("pause_for", 120)},
    {150: ("off", 0), 260: ("on", 0)},
    {300: ("pause", 0)},
    {310: ("delete", 0)},
)
OUTAGES = (set[int](), {120, 180}, {30, 45, 200, 330})


def whens() -> list[When]:
    crontabs: list[When] = [cron(text, zone) for zone in ZONES for text in CRONTABS]
    intervals: list[When] = [every(seconds, BEGIN - HOUR) for seconds in INTERVALS]
    rules: list[When] = [RruleWhen(rrule=text, dtstart=BEGIN - HOUR) for text in RRULES]
    once: list[When] = [OnceWhen(at=BEGIN + 3 * HOUR), OnceWhen(at=BEGIN + 151 * MINUTE)]
    more: list[When] = [cron("*/3 * * * *"), cron("17 * * * *", "Europe/Berlin")]
    return [*crontabs, *intervals, *rules, *once, *more, *crontabs[:10]]


def ticks_of(when: When, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The ticks in [begin, end), by another library or by arithmetic."""
    if isinstance(when, CrontabWhen):
        for local in CronSim(when.crontab, begin.astimezone(ZoneInfo(when.timezone)) - MINUTE):
            tick = local.astimezone(UTC)
            if tick >= end:
                return
            if tick >= begin:
                yield tick
    elif isinstance(when, RruleWhen):
        yield from rrulestr(when.rrule, dtstart=when.dtstart).between(begin, end - MINUTE, inc=True)
    elif isinstance(when, IntervalWhen):
        assert when.anchor is not None
        tick = when.anchor
        while tick < end:
            if tick >= begin:
                yield tick
            tick += timedelta(seconds=when.every)
    elif isinstance(when, OnceWhen) and begin <= when.at < end:
        yield when.at


@pytest.mark.parametrize("number", range(len(whens())))
def test_each_tick_of_a_night_is_in_one_row(number: int) -> None:
    when = whens()[number]
    calendar = CLOSED if number % 4 == 1 else None
    plot = Plot(
        step=1,
        catch_up="latest" if number % 2 else "none",
        window_minutes=30 if number % 3 else 600,
        minutes=MINUTES,
        actions={0: ("create", 0), **ACTIONS[number % len(ACTIONS)]},
        outages=OUTAGES[number % len(OUTAGES)],
        when=when,
        window=Window(
            calendar=None if calendar is None else calendar.name,
            starts_at=BEGIN + HOUR if number % 5 == 2 else None,
            ends_at=END - HOUR if number % 5 == 3 else None,
        ),
        calendar=calendar,
    )
    world = World(plot, BEGIN)
    world.run()
    deleted = next((at for at, one in plot.actions.items() if one[0] == "delete"), MINUTES)
    begin = max(BEGIN + MINUTE, plot.window.starts_at or BEGIN)
    end = min(BEGIN + deleted * MINUTE + MINUTE, plot.window.ends_at or END, END - 3 * MINUTE)
    expected = list(ticks_of(when, begin, end))
    rows = [row for row in world.ranges() if row[0] < end]
    covered = {tick: [row for row in rows if row[0] <= tick <= row[1]] for tick in expected}
    alone = {tick for tick, found in covered.items() if len(found) == 1}
    assert {tick for tick, found in covered.items() if not found} == set()
    if calendar is None:
        assert alone == set(expected)
        assert all(first in covered for first, _, _ in rows)
        young = list(ticks_of(when, end, END))
        extra = sum(1 for tick in young if any(row[0] <= tick <= row[1] for row in rows))
        assert sum(count for _, _, count in rows) == len(expected) + extra
    assert sum(count for _, _, count in rows) >= len(expected)
