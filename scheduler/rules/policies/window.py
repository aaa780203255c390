"""Which ticks of a schedule count: from its start on, before its end, the first `max_runs`, outside
its calendar, not while it is paused, not those an operator skips. Pure.

Before `starts_at` and after the end there are no ticks at all. A tick in between that does not run
is skipped, with the reason that `reason` gives: history shows it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal

from scheduler.rules.calendars import exclusions
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.spec import (
    Pause,
    Schedule,
    Spec,
    When,
    Window,
)
from scheduler.rules.ticks import next_tick, ticks_between

Reason = Literal["window", "calendar", "paused", "operator", "finished"]

MOST_LOOKS = 10_000
"""How many ticks that do not run are looked at before a search gives up."""

CALENDAR_HORIZON = timedelta(days=5 * 366)
"""How far ahead a tick is looked for that a calendar leaves free."""

OVERDUE = timedelta(seconds=30)
"""How long after its time a tick may still be called the next one."""

_MICROSECOND = timedelta(microseconds=1)


def is_overdue(tick: datetime, now: datetime) -> bool:
    """Whether a tick should have been dealt with: a Beat that is there looks at each within
    seconds.
    """
    return now - tick > OVERDUE


def bounded_next_tick(spec: Spec, after: datetime, *, runs: int = 0) -> datetime | None:
    """The first tick after `after` within start, end and `max_runs`, of which `runs` are used up.

    Calendar, pause and skips do not matter here: this is when to look at the schedule next.
    """
    window = spec.window
    if window.max_runs is not None and runs >= window.max_runs:
        return None
    if window.starts_at is not None:
        after = max(after, window.starts_at - _MICROSECOND)
    tick = next_tick(spec.when, after)
    return None if tick is None or _is_over(window, tick) else tick


def is_finished(spec: Spec, after: datetime, *, runs: int = 0) -> bool:
    """Whether no tick is left: a one-off that has run, an end that has passed, `max_runs` used
    up.
    """
    return bounded_next_tick(spec, after, runs=runs) is None


def reason(
    schedule: Schedule, tick: datetime, *, runs: int = 0, calendar: Calendar | None = None
) -> Reason | None:
    """Why `tick` does not run; none where it does. `calendar` is the one that the schedule
    names.
    """
    window = schedule.window
    if window.starts_at is not None and tick < window.starts_at:
        return "window"
    if _is_over(window, tick) or (window.max_runs is not None and runs >= window.max_runs):
        return "finished"
    if not schedule.enabled or tick in schedule.skips:
        return "operator"
    if is_paused(schedule, tick):
        return "paused"
    return "calendar" if calendar is not None and exclusions.excludes(calendar, tick) else None


def is_paused(schedule: Schedule, moment: datetime) -> bool:
    """Whether the schedule is paused at `moment`."""
    return holds(schedule.paused, moment)


def holds(pause: Pause | None, moment: datetime) -> bool:
    """Whether a pause is on at `moment`; one with an end is over from that end on."""
    return (
        pause is not None
        and moment >= pause.since
        and (pause.until is None or moment < pause.until)
    )


def live_next_tick(
    schedule: Schedule, after: datetime, *, runs: int = 0, calendar: Calendar | None = None
) -> datetime | None:
    """The first tick after `after` that will run; none where a calendar excludes all of the next
    five years.
    """
    horizon = after + CALENDAR_HORIZON
    for _ in range(MOST_LOOKS):
        tick = bounded_next_tick(schedule, after, runs=runs)
        if tick is None:
            return None
        why = reason(schedule, tick, runs=runs, calendar=calendar)
        if why is None:
            return tick
        further = (
            None if why == "calendar" and tick > horizon else _past(schedule, tick, why, calendar)
        )
        if further is None:
            return None
        after = further
    return None


def bounded_ticks(
    spec: Spec, after: datetime, until: datetime, *, runs: int = 0, calendar: Calendar | None = None
) -> Iterator[datetime]:
    """The ticks in (after, until] within start, end and `max_runs`, without those that `calendar`
    excludes.
    """
    window = spec.window
    if window.starts_at is not None:
        after = max(after, window.starts_at - _MICROSECOND)
    if window.ends_at is not None:
        until = min(until, window.ends_at - _MICROSECOND)
    left = None if window.max_runs is None else max(window.max_runs - runs, 0)
    return islice(free_ticks(spec.when, after, until, calendar), left)


def free_ticks(
    when: When, after: datetime, until: datetime, calendar: Calendar | None
) -> Iterator[datetime]:
    """The ticks in (after, until] that `calendar` leaves free, in order."""
    for begin, end in free_times(after, until, calendar):
        yield from ticks_between(when, begin, end)


def free_times(
    after: datetime, until: datetime, calendar: Calendar | None
) -> Iterator[tuple[datetime, datetime]]:
    """The parts of (after, until] that `calendar` leaves free, in order, each as (after, until]."""
    if calendar is None:
        if after < until:
            yield after, until
        return
    for stretch in exclusions.split(calendar, after, until):
        if not stretch.is_excluded:
            yield stretch.after, stretch.until


def excluded_times(
    after: datetime, until: datetime, calendar: Calendar | None
) -> Iterator[tuple[datetime, datetime]]:
    """The other parts of (after, until]."""
    if calendar is not None:
        for stretch in exclusions.split(calendar, after, until):
            if stretch.is_excluded:
                yield stretch.after, stretch.until


def _past(
    schedule: Schedule, tick: datetime, why: Reason, calendar: Calendar | None
) -> datetime | None:
    """The moment after which to look again; none where what holds the ticks has no end."""
    if why == "paused":
        until = schedule.paused.until if schedule.paused is not None else None
        return None if until is None else max(until - _MICROSECOND, tick)
    if why == "calendar" and calendar is not None:
        free = exclusions.free_after(calendar, tick)
        return None if free is None else max(free - _MICROSECOND, tick)
    return tick if schedule.enabled else None


def _is_over(window: Window, tick: datetime) -> bool:
    """Whether `tick` is not before the end."""
    return window.ends_at is not None and tick >= window.ends_at
