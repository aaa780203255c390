"""Runs for ticks of the past: which ticks there are in a time, and a run for each, oldest first.

A backfill takes the rule, with its start, its end and its calendar, as it is now. Its runs have the
ids of their ticks, so that saying it twice starts nothing twice, and a tick that has a run already
gets none. It has an overlap policy of its own: with `queue_all` the ticks wait, and Beat starts one
when no run of the schedule is alive; with `allow` all go to the queue at once. The other policies
would let one tick of many run, which is no backfill. Nothing is planned that would not be started:
the count is known first, and bounded.

Ticks that Beat has not dealt with yet, since it is down or the schedule is paused, are left to it,
and said so: it catches up with them as the schedule's policy says, or `resume` does, and none runs
twice.
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
from scheduler.rules.model.spec import IntervalWhen, RedBeatWhen, Schedule
from scheduler.rules.policies.catch_up import MOST_COUNTED
from scheduler.rules.policies.window import free_ticks, free_times
from scheduler.rules.ticks import count_ticks

Overlap = Literal["queue_all", "allow"]
OVERLAPS: tuple[Overlap, ...] = get_args(Overlap)

MOST_RUNS = 1000
"""Runs that one backfill starts at most."""

USUAL = 100
"""The limit where none is given."""

_MICROSECOND = timedelta(microseconds=1)


class Starts(Protocol):
    """Whoever sends runs to the queue."""

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
    """Whoever keeps the ticks that wait."""

    def add(
        self, schedule: Schedule, ticks: Sequence[WaitingTick], now: datetime
    ) -> list[WaitingTick]:
        """Let ticks wait, those that do not wait yet; which these are."""


class Started(NamedTuple):
    """The runs that are in the queue or will be, oldest tick first, and how many ticks had a run
    already.
    """

    runs: list[str]
    known: int


@dataclass(frozen=True)
class Backfill:
    """The ticks in a time: how many there are, and those that would run, the oldest ones up to the
    limit.
    """

    schedule: Schedule
    count: int
    ticks: list[datetime]
    left: int = 0
    """How many ticks more there are, with which Beat has not dealt yet."""


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
    """The ticks in [since, until) that `calendar` leaves free, those after `beat` left to Beat.

    `beat` is the moment up to which it has dealt with them, none where it will deal with no others.
    Raises Refused where the times or the limit make no sense.
    """
    when = schedule.when
    if isinstance(when, RedBeatWhen) or (isinstance(when, IntervalWhen) and when.anchor is None):
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
    """Start the runs of a plan, or let their ticks wait for their turn. `existing` returns those of
    some runs that exist already.

    Raises Refused where nothing would start, and Unavailable where the broker goes away, with how
    many are started.
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
