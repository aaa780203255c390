"""The plan where exactly one tick is due and no rule has a say, as nearly always. Pure.

Decides the same as `dispatch.plan`, in the recognised cases, at a quarter of the price.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from scheduler.dispatch.verdicts import Plan
from scheduler.redbeat import codec
from scheduler.redbeat.codec import StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.spec import IntervalWhen, Schedule, When
from scheduler.rules.policies import catch_up
from scheduler.rules.ticks import interval_of, next_tick


def plan_single_tick(
    entry: StoredSchedule, now: datetime, alive: int, waiting: Sequence[WaitingTick]
) -> Plan | None:
    """Return the plan that sends the only due tick; None where any rule has a say.

    `alive` is the number of runs of the schedule that are not final; `waiting` are the waiting
    ticks.
    """
    schedule, last = entry.schedule, entry.meta.last_run_at
    if last is None or waiting or not is_plain(schedule):
        return None
    if alive > 0 and schedule.policies.overlap != "allow":
        return None
    when = codec.anchored(schedule.when, entry.meta)
    ticks = single_tick(when, last, now, catch_up.surely_runs_within(schedule.policies))
    if ticks is None:
        return None
    tick, following = ticks
    return Plan(score=following.timestamp(), last=tick, send=tick)


def is_plain(schedule: Schedule) -> bool:
    """True where the schedule is on and nothing in it can hold back, move or rule out a tick.

    Then the schedule has no pause, skipped tick, jitter, calendar, start, end or limit of runs.
    """
    if not schedule.enabled or schedule.paused is not None or schedule.skips:
        return False
    limits = schedule.window
    bounds = (limits.calendar, limits.starts_at, limits.ends_at, limits.max_runs)
    return schedule.policies.jitter <= 0 and all(bound is None for bound in bounds)


def single_tick(
    when: When, last: datetime, now: datetime, within: timedelta, tick: datetime | None = None
) -> tuple[datetime, datetime] | None:
    """Return the due tick and the tick after it, for a single due tick younger than `within`.

    None with no due tick, with several, or with an older one. `tick` is the first tick after `last`
    where the caller has computed the tick before.
    """
    tick = tick or next_tick(when, last)
    if tick is None or tick > now or now - tick >= within:
        return None
    following = next_tick(when, tick)
    if following is None or following <= now:
        return None
    return tick, following


class TickPairs:
    """The single ticks of a rule, one after the other: `single_tick`, at a third of the price.

    The tick of an interval is computed here; for other rules, only a tick not computed before is.
    `anchor` is the anchor of an interval, and takes precedence over the rule's; without an anchor
    the interval counts from the last tick (`codec.anchored`). Raises BadExpression for an interval
    that never passes.
    """

    __slots__ = ("_anchor", "_every", "_following", "_tick", "_when", "_within")

    def __init__(self, when: When, anchor: datetime | None, within: timedelta) -> None:
        self._when = when
        self._within = within
        self._every = interval_of(when) if isinstance(when, IntervalWhen) else None
        self._anchor = None if anchor is None else anchor.astimezone(UTC)
        self._tick: datetime | None = None
        self._following: datetime | None = None

    def after(self, last: datetime, now: datetime) -> tuple[datetime, datetime] | None:
        """`single_tick` of the rule. Raises BadExpression, UnknownZone, OverflowError."""
        every = self._every
        if every is None:
            return self._computed(last, now)
        anchor = self._anchor or last
        passed = (last - anchor) // every
        tick = anchor + (passed + 1 if passed > 0 else 1) * every
        if tick > now or now - tick >= self._within:
            return None
        following = tick + every
        return None if following <= now else (tick, following)

    def _computed(self, last: datetime, now: datetime) -> tuple[datetime, datetime] | None:
        computed = self._following if self._tick == last else None
        ticks = single_tick(self._when, last, now, self._within, computed)
        if ticks is not None:
            self._tick, self._following = ticks
        return ticks
