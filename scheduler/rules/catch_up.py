"""What becomes of ticks that passed while nobody looked: which run now, and which are missed, with the reason. Pure.

    policy   on time   late, in the window        late, before the window
    latest   runs      the newest runs, the       missed: deadline
                       others: coalesced
    none     runs      missed: scheduler_down     missed: deadline, where none is later than the window
    all      runs      all run, oldest first      missed: deadline

A tick is on time while it is less than `ON_TIME` old: Beat looks once a second, and a second is no absence.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from scheduler.rules.spec import When
from scheduler.rules.ticks import count_ticks, latest_tick, next_tick, ticks_between

Policy = Literal["latest", "none", "all"]
Reason = Literal["coalesced", "scheduler_down", "deadline"]

ON_TIME = timedelta(seconds=10)
MOST_COUNTED = 1_000_000
"""Where counting missed ticks ends; a per-minute schedule reaches it after two years."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Due:
    """The ticks of `when` that are due: later than `after`, not later than `until`."""

    when: When
    after: datetime
    until: datetime


@dataclass(frozen=True)
class Missed:
    """Ticks that nobody sends, as one range."""

    first: datetime
    last: datetime
    count: int
    reason: Reason


@dataclass(frozen=True)
class CatchUp:
    """The ticks to run, oldest first, and those that are missed, in order."""

    run: list[datetime]
    missed: list[Missed]


def plan(policy: Policy, window_seconds: float, due: Due, now: datetime, *, most: int = 1000) -> CatchUp:
    """Decide on every tick that is due; each is either in `run` or in exactly one range.

    With `all`, at most the newest `most` ticks run; those before them are missed: coalesced.
    """
    opens = max(due.after, _window_opens(window_seconds, now) - _MICROSECOND)
    missed = [_missed(due.when, due.after, min(opens, due.until), "deadline")]
    newest = latest_tick(due.when, opens, due.until) if opens < due.until else None
    run: list[datetime] = []
    if newest is None:
        return CatchUp(run=[], missed=[found for found in missed if found])
    if policy == "all":
        run = _newest(list(ticks_between(due.when, opens, due.until)), most)
        missed.append(_missed(due.when, opens, run[0] - _MICROSECOND, "coalesced"))
    elif policy == "latest":
        run = [newest]
        missed.append(_missed(due.when, opens, newest - _MICROSECOND, "coalesced"))
    else:
        late = max(opens, now - ON_TIME)
        missed.append(_missed(due.when, opens, min(late, due.until), "scheduler_down"))
        if newest > late:
            run = [newest]
            missed.append(_missed(due.when, late, newest - _MICROSECOND, "coalesced"))
    return CatchUp(run=run, missed=[found for found in missed if found])


def _window_opens(seconds: float, now: datetime) -> datetime:
    """The oldest tick that may still run. What is on time is never too old."""
    window = max(timedelta(seconds=min(seconds, 10 * 366 * 86400.0)), ON_TIME)
    return now - window


def _newest(ticks: list[datetime], most: int) -> list[datetime]:
    return ticks[-most:]


def _missed(when: When, after: datetime, until: datetime, reason: Reason) -> Missed | None:
    """The ticks in (after, until] as one range; none where there are none."""
    first = next_tick(when, after)
    if first is None or first > until:
        return None
    last = latest_tick(when, after, until) or first
    return Missed(first, last, max(count_ticks(when, after, until, MOST_COUNTED), 1), reason)
