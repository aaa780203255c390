"""Runs for ticks of the past: which ticks there are in a time, and a run for each, oldest first.

A backfill takes the rule, with its start and its end, as it is now. Where nothing has run for a tick yet, its run gets
the tick's own id, so that saying it twice starts nothing twice; where something has, it is a run of its own. Nothing is
planned that would not be started: the count is known first, and bounded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, Protocol
from uuid import uuid4

from scheduler.errors import Refused, Unavailable
from scheduler.rules.catch_up import MOST_COUNTED
from scheduler.rules.identity import run_id, tick_text
from scheduler.rules.spec import IntervalWhen, RedBeatWhen, Schedule
from scheduler.rules.ticks import count_ticks, ticks_between

MOST_RUNS = 1000
"""Runs that one backfill starts at most."""

USUAL = 100
"""The limit where none is given."""

_MICROSECOND = timedelta(microseconds=1)


class Starts(Protocol):
    """Whoever sends runs to the queue."""

    def start(
        self, schedule: Schedule, *, actor: str, trigger: Literal["backfill"], tick: datetime, run: str, now: datetime
    ) -> str:
        """Start a run of the schedule for the tick."""


@dataclass(frozen=True)
class Backfill:
    """The ticks in a time: how many there are, and those that would run, the oldest ones up to the limit."""

    schedule: Schedule
    count: int
    ticks: list[datetime]


def plan(schedule: Schedule, since: datetime, until: datetime, *, limit: int, now: datetime) -> Backfill:
    """The ticks in [since, until). Raises Refused for what cannot be meant."""
    when = schedule.when
    if isinstance(when, RedBeatWhen) or (isinstance(when, IntervalWhen) and when.anchor is None):
        raise Refused(f"the ticks of {schedule.name!r} are not known before they come; run it by hand", field="name")
    if not 1 <= limit <= MOST_RUNS:
        raise Refused(f"limit {limit} is not from 1 to {MOST_RUNS}; backfill in parts", field="limit")
    if since >= until:
        raise Refused(f"{tick_text(until)} is not after {tick_text(since)}; swap the two", field="to")
    if until > now:
        raise Refused(
            f"{tick_text(until)} has not passed yet; what is still to come is fired by the schedule itself", field="to"
        )
    starts, ends = schedule.window.starts_at or since, schedule.window.ends_at or until
    after, last = max(since, starts) - _MICROSECOND, min(until, ends) - _MICROSECOND
    count = count_ticks(when, after, last, MOST_COUNTED)
    return Backfill(schedule, count, list(islice(ticks_between(when, after, last), limit)))


def start(
    backfill: Backfill, control: Starts, known: Callable[[Sequence[str]], set[str]], *, actor: str, now: datetime
) -> list[str]:
    """Start the runs of a plan; their ids, oldest tick first. `known` are those ids that the history has heard of."""
    schedule = backfill.schedule
    own = [run_id(schedule.uid, tick) for tick in backfill.ticks]
    taken = known(own)
    started: list[str] = []
    for tick, name in zip(backfill.ticks, own, strict=True):
        run = str(uuid4()) if name in taken else name
        try:
            control.start(schedule, actor=actor, trigger="backfill", tick=tick, run=run, now=now)
        except Unavailable as error:
            raise Unavailable(
                f"{len(started)} of {len(own)} runs are started; the one for {tick_text(tick)} and those after it are "
                f"not: {error}"
            ) from error
        started.append(run)
    return started
