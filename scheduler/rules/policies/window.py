"""The window of a schedule: start, end, `max_runs`, calendar, pauses and skips. Pure.

Before `starts_at` and from `ends_at` on there are no ticks at all. A tick in between without a run
is skipped, with the reason returned by `reason`, and shown in the history.
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
"""How many ticks a search passes over before giving up."""

CALENDAR_HORIZON = timedelta(days=5 * 366)
"""How far ahead a search goes for a tick outside the calendar."""

OVERDUE = timedelta(seconds=30)
"""The age up to which a tick may still be called the next one."""

_MICROSECOND = timedelta(microseconds=1)


def is_overdue(tick: datetime, now: datetime) -> bool:
    """Whether `tick` is past for longer than a live Beat ever takes to dispatch a due tick."""
    return now - tick > OVERDUE


def bounded_next_tick(spec: Spec, after: datetime, *, runs: int = 0) -> datetime | None:
    """Return the first tick after `after` within start, end and `max_runs`; None without one.

    `runs` counts the runs so far. Calendar, pause and skips are ignored: Beat also evaluates, and
    records, a tick that will be skipped.
    """
    window = spec.window
    if window.max_runs is not None and runs >= window.max_runs:
        return None
    if window.starts_at is not None:
        after = max(after, window.starts_at - _MICROSECOND)
    tick = next_tick(spec.when, after)
    return None if tick is None or _is_over(window, tick) else tick


def is_finished(spec: Spec, after: datetime, *, runs: int = 0) -> bool:
    """Whether no tick is left after `after`: a past one-off, a past end, `max_runs` used up."""
    return bounded_next_tick(spec, after, runs=runs) is None


def reason(
    schedule: Schedule, tick: datetime, *, runs: int = 0, calendar: Calendar | None = None
) -> Reason | None:
    """Return why `tick` does not run; None where it runs.

    `calendar` is the calendar named by the schedule's window. The first reason in this order
    counts: window, finished, operator, paused, calendar.
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
    """Whether `pause` covers `moment`: from `since` on, and before `until` where given."""
    return (
        pause is not None
        and moment >= pause.since
        and (pause.until is None or moment < pause.until)
    )


def live_next_tick(
    schedule: Schedule, after: datetime, *, runs: int = 0, calendar: Calendar | None = None
) -> datetime | None:
    """Return the first tick after `after` that will run, skipped ticks passed over.

    None where no tick is left, where a pause has no end, and where the calendar excludes the next
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
    """Yield the ticks in (after, until] within start, end and `max_runs`, outside `calendar`."""
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
    """Yield the ticks in (after, until] outside `calendar`, in order."""
    for begin, end in free_times(after, until, calendar):
        yield from ticks_between(when, begin, end)


def free_times(
    after: datetime, until: datetime, calendar: Calendar | None
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts of (after, until] outside `calendar`, in order, each as (after, until]."""
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
    """Yield the parts of (after, until] that `calendar` excludes; the counterpart of free_times."""
    if calendar is not None:
        for stretch in exclusions.split(calendar, after, until):
            if stretch.is_excluded:
                yield stretch.after, stretch.until


def _past(
    schedule: Schedule, tick: datetime, why: Reason, calendar: Calendar | None
) -> datetime | None:
    """The moment from which a search goes on; None where the pause or exclusion has no end."""
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
