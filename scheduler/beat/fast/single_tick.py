"""The plan where exactly one tick is due and no rule has a say, as nearly always. Pure.

Decides what `dispatch.plan` decides, for the cases that it recognises, at a quarter of the price.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from scheduler.dispatch.verdicts import Plan
from scheduler.redbeat import codec
from scheduler.redbeat.codec import StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.spec import Schedule, When
from scheduler.rules.policies import catch_up
from scheduler.rules.ticks import next_tick


def plan_single_tick(
    entry: StoredSchedule, now: datetime, alive: int, waiting: Sequence[WaitingTick]
) -> Plan | None:
    """The plan that sends the single tick that is due; None where any rule has a say.

    `alive` counts the schedule's runs that are not final; `waiting` are its waiting ticks.
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
    """True where the schedule is on and nothing in it can hold back, move or rule out a tick:
    no pause, skipped tick, jitter, calendar, start, end or limit of runs.
    """
    if not schedule.enabled or schedule.paused is not None or schedule.skips:
        return False
    limits = schedule.window
    bounds = (limits.calendar, limits.starts_at, limits.ends_at, limits.max_runs)
    return schedule.policies.jitter <= 0 and all(bound is None for bound in bounds)


def single_tick(
    when: When, last: datetime, now: datetime, within: timedelta, tick: datetime | None = None
) -> tuple[datetime, datetime] | None:
    """The tick that is due and the one after it, where it is the only one that is due and younger
    than `within`; else None.

    `tick` is the first tick after `last`, where the caller has computed it before.
    """
    tick = tick or next_tick(when, last)
    if tick is None or tick > now or now - tick >= within:
        return None
    following = next_tick(when, tick)
    if following is None or following <= now:
        return None
    return tick, following
