"""Catch-up after an absence: the ticks to run now, and the missed ticks, with the reason. Pure.

    policy   on time   late, in the window        late, before the window
    latest   runs      the newest runs, the       missed: deadline
                       others: coalesced
    none     runs      missed: scheduler_down     missed: deadline, where none is later than
                                                  the window
    all      runs      all run, oldest first      missed: deadline

A tick is on time while less than `ON_TIME` old: Beat reads due entries once a second, and a second
is not an absence. Ticks excluded by a calendar are not due; `excluded` returns them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.spec import Policies, When
from scheduler.rules.policies.window import excluded_times, free_ticks, free_times
from scheduler.rules.ticks import count_ticks, latest_tick, next_tick

Policy = Literal["latest", "none", "all"]
Reason = Literal["coalesced", "scheduler_down", "deadline"]

ON_TIME = timedelta(seconds=10)
MOST_COUNTED = 1_000_000
"""Where counting missed ticks ends; a per-minute schedule reaches it after two years."""

MOST_RANGES = 50
"""Most ranges of one reason; where a calendar cuts an absence into more, the oldest are merged."""

_MICROSECOND = timedelta(microseconds=1)
_LONGEST_WINDOW = 10 * 366 * 86400.0


@dataclass(frozen=True)
class Due:
    """The due ticks of `when`: in (after, until] and not excluded by `calendar`."""

    when: When
    after: datetime
    until: datetime
    calendar: Calendar | None = None


@dataclass(frozen=True)
class Range:
    """`count` ticks from `first` to `last`; a calendar may exclude some ticks in between."""

    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True)
class Missed(Range):
    """Ticks that are not sent, and why."""

    reason: Reason


@dataclass(frozen=True)
class CatchUp:
    """The ticks to run, oldest first, and the missed ranges, in order."""

    run: list[datetime]
    missed: list[Missed]


def plan(
    policy: Policy, window_seconds: float, due: Due, now: datetime, *, most: int = 1000
) -> CatchUp:
    """Return the plan for every due tick: either in `run` or in exactly one missed range.

    `window_seconds` is the greatest age of a late tick. With `all`, at most the newest `most` ticks
    run; earlier ticks are missed: coalesced.
    """
    opens = max(due.after, _window_opens(window_seconds, now) - _MICROSECOND)
    missed = _missed(due, due.after, min(opens, due.until), "deadline")
    newest = _newest(due, opens, due.until)
    if newest is None:
        return CatchUp(run=[], missed=missed)
    if policy == "all":
        run = list(free_ticks(due.when, opens, due.until, due.calendar))[-most:]
        missed += _missed(due, opens, run[0] - _MICROSECOND, "coalesced")
    elif policy == "latest":
        run = [newest]
        missed += _missed(due, opens, newest - _MICROSECOND, "coalesced")
    else:
        late = max(opens, now - ON_TIME)
        run = [newest] if newest > late else []
        missed += _missed(due, opens, min(late, due.until), "scheduler_down")
        if run:
            missed += _missed(due, late, newest - _MICROSECOND, "coalesced")
    return CatchUp(run=run, missed=missed)


def surely_runs_within(policies: Policies) -> timedelta:
    """Return an age below which a single due tick always runs.

    Neither `plan` nor the starting deadline can stop a tick younger than this bound; the fast path
    of Beat relies on the bound.
    """
    return _surely_within(
        policies.catch_up != "none", policies.catch_up_window, policies.starting_deadline
    )


@lru_cache(maxsize=1000)
def _surely_within(catches_up: bool, catch_up_window: float, deadline: float | None) -> timedelta:
    window = ON_TIME.total_seconds()
    if catches_up:
        window = min(max(catch_up_window, window), _LONGEST_WINDOW)
    return timedelta(seconds=min(window, deadline or window))


def excluded(due: Due) -> list[Range]:
    """Return the ticks excluded by the calendar, one range for each excluded time."""
    return ranges(due.when, excluded_times(due.after, due.until, due.calendar))


def ranges(when: When, times: Iterable[tuple[datetime, datetime]]) -> list[Range]:
    """Return one range for each (after, until] of `times` with a tick, `MOST_RANGES` at most."""
    found: list[Range] = []
    for after, until in times:
        first = next_tick(when, after)
        if first is not None and first <= until:
            last = latest_tick(when, after, until) or first
            found.append(Range(first, last, max(count_ticks(when, after, until, MOST_COUNTED), 1)))
    old = found[: 1 - MOST_RANGES] if len(found) > MOST_RANGES else []
    if old:
        total = sum(part.count for part in old)
        found[: len(old)] = [Range(old[0].first, old[-1].last, total)]
    return found


def _window_opens(seconds: float, now: datetime) -> datetime:
    """The oldest moment of a tick that may still run; a tick on time is never too old."""
    window = max(timedelta(seconds=min(seconds, _LONGEST_WINDOW)), ON_TIME)
    return now - window


def _newest(due: Due, after: datetime, until: datetime) -> datetime | None:
    """The newest tick in (after, until]."""
    for begin, end in reversed(list(free_times(after, until, due.calendar))):
        newest = latest_tick(due.when, begin, end)
        if newest is not None:
            return newest
    return None


def _missed(due: Due, after: datetime, until: datetime, reason: Reason) -> list[Missed]:
    """The ticks in (after, until] as missed ranges; empty without a tick."""
    found = ranges(due.when, free_times(after, until, due.calendar))
    return [Missed(part.first, part.last, part.count, reason) for part in found]
