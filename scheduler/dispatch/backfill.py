"""Runs for past ticks: the ticks in a range of time, and a run for each, oldest first.

A backfill uses the current rule, start, end and calendar of the schedule. A run's id follows from
the tick, so that a repeated backfill starts nothing twice, and a tick with a run gets no second
run. A backfill has an overlap policy of its own: with `queue_all` the ticks wait, and Beat starts
the next when no run of the schedule is alive; with `allow` all runs go to the queue at once. The
other policies would let one tick of many run, and are not offered. The plan lists only ticks to
start: the count is computed first, and bounded.

Ticks not yet processed by Beat, because Beat is down or the schedule is paused, are left to Beat
and reported: Beat catches up by the schedule's policy, or `resume` does, and no tick runs twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Literal, NamedTuple, Protocol, get_args

from scheduler.errors import Refused, Unavailable
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.identity import run_id, tick_text
from scheduler.rules.model.spec import Schedule
from scheduler.rules.policies.catch_up import MOST_COUNTED
from scheduler.rules.policies.window import free_ticks, free_times
from scheduler.rules.ticks import count_ticks, has_computable_ticks

Overlap = Literal["queue_all", "allow"]
OVERLAPS: tuple[Overlap, ...] = get_args(Overlap)

MOST_RUNS = 1000
"""Most runs of one backfill."""

USUAL = 100
"""The default limit."""

_MICROSECOND = timedelta(microseconds=1)


class Starts(Protocol):
    """The sender of runs to the queue."""

    def start(
        self,
        schedule: Schedule,
        *,
        actor: str,
        trigger: Literal["backfill"],
        tick: datetime,
        run: str,
        now: datetime,
    ) -> str:
        """Start a run of the schedule for the tick."""


class Holds(Protocol):
    """The store of waiting ticks."""

    def add(
        self, schedule: Schedule, ticks: Sequence[WaitingTick], now: datetime
    ) -> list[WaitingTick]:
        """Add ticks to the waiting ones. Returns the newly added ticks."""


class Started(NamedTuple):
    """Runs in the queue or waiting, oldest tick first, and the number of ticks left out.

    `known` is the number of ticks that had a run already.
    """

    runs: list[str]
    known: int


@dataclass(frozen=True)
class Backfill:
    """The number of ticks in a range of time, and the oldest ticks up to the limit."""

    schedule: Schedule
    count: int
    ticks: list[datetime]
    left: int = 0
    """The number of further ticks, not yet processed by Beat."""


def plan(
    schedule: Schedule,
    since: datetime,
    until: datetime,
    *,
    limit: int,
    now: datetime,
    calendar: Calendar | None = None,
    beat: datetime | None = None,
) -> Backfill:
    """Return the ticks in [since, until) outside `calendar`; those after `beat` are left to Beat.

    Beat has processed the ticks up to `beat`; None where Beat will process no further tick. Raises
    Refused for an impossible range or limit.
    """
    when = schedule.when
    if not has_computable_ticks(when):
        raise Refused(
            f"the ticks of {schedule.name!r} are not known before they come; run it by hand",
            field="name",
        )
    if not 1 <= limit <= MOST_RUNS:
        raise Refused(
            f"limit {limit} is not from 1 to {MOST_RUNS}; backfill in parts", field="limit"
        )
    if since >= until:
        raise Refused(
            f"{tick_text(until)} is not after {tick_text(since)}; swap the two", field="to"
        )
    if until > now:
        raise Refused(
            f"{tick_text(until)} has not passed yet; what is still to come is fired by the "
            "schedule itself",
            field="to",
        )
    window = schedule.window
    after = max(since, window.starts_at or since) - _MICROSECOND
    last = min(until, window.ends_at or until) - _MICROSECOND
    mine = last if beat is None else max(after, min(last, beat))
    count, left = (
        sum(count_ticks(when, *time, MOST_COUNTED) for time in free_times(begins, ends, calendar))
        for begins, ends in ((after, mine), (mine, last))
    )
    return Backfill(
        schedule, count, list(islice(free_ticks(when, after, mine, calendar), limit)), left
    )


def start(
    backfill: Backfill,
    control: Starts,
    waiting: Holds,
    existing: Callable[[Sequence[str]], set[str]],
    *,
    overlap: Overlap,
    actor: str,
    now: datetime,
) -> Started:
    """Start the runs of a plan, or let the ticks wait.

    `existing` returns the existing ids among the given run ids. Raises Refused where no run would
    start, and Unavailable, with the number of started runs, where the broker fails.
    """
    schedule = backfill.schedule
    if overlap == "queue_all" and not schedule.enabled:
        raise Refused(
            f"{schedule.name!r} is off, so that no tick has its turn; switch it on, or start all "
            "at once (allow)",
            field="overlap",
        )
    runs = {run_id(schedule.uid, tick): tick for tick in backfill.ticks}
    taken = existing(list(runs))
    ticks = [tick for run, tick in runs.items() if run not in taken]
    if overlap == "queue_all":
        added = waiting.add(schedule, [WaitingTick(tick, "backfill", actor) for tick in ticks], now)
        started = [run_id(schedule.uid, one.tick) for one in added]
        return Started(started, len(runs) - len(started))
    started = []
    for tick in ticks:
        run = run_id(schedule.uid, tick)
        try:
            control.start(schedule, actor=actor, trigger="backfill", tick=tick, run=run, now=now)
        except Unavailable as error:
            raise Unavailable(
                f"{len(started)} of {len(ticks)} runs are started; the one for {tick_text(tick)} "
                f"and those after it are not: {error}"
            ) from error
        started.append(run)
    return Started(started, len(taken))
