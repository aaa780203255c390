"""The time of Beat's next look at an entry, and a replacement for a lost last tick. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from scheduler.dispatch.verdicts import Plan
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta, StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.model.spec import RedBeatWhen, Schedule, When
from scheduler.rules.policies import jitter, window
from scheduler.rules.ticks import latest_tick, next_tick
from scheduler.schedules.changes import ASLEEP, resting_point

_MICROSECOND = timedelta(microseconds=1)
_GRAIN_OF_A_SCORE = timedelta(milliseconds=1)
_A_YEAR = 366 * 86_400.0


def next_score(entry: StoredSchedule, waiting: int = 0) -> float:
    """Return the time of the next look, in seconds, at an entry that is on and not paused.

    The time is that of the next tick, with jitter; ASLEEP where no tick is left. `waiting` is the
    number of waiting ticks that count toward `max_runs`.
    """
    last, schedule = entry.meta.last_run_at, entry.schedule
    if last is None:
        return ASLEEP
    when = codec.anchored(schedule.when, entry.meta)
    if when is not schedule.when:
        schedule = schedule.model_copy(update={"when": when})
    runs = (entry.meta.total_run_count or 0) + waiting
    tick = window.bounded_next_tick(schedule, last, runs=runs)
    return ASLEEP if tick is None else (tick + jitter_of(schedule, when, tick)).timestamp()


def score_after(
    plan: Plan, entry: StoredSchedule, when: When, waiting: Sequence[WaitingTick], now: datetime
) -> float:
    """When to look at the entry again once `plan` is carried out, in seconds."""
    last = plan.last or entry.meta.last_run_at or now.replace(microsecond=0)
    runs = (entry.meta.total_run_count or 0) + plan.counts_toward_max_runs
    schedule = entry.schedule.model_copy(update={"when": when})
    still_waiting = sum(tick.counts_toward_max_runs for tick in waiting if tick not in plan.drop)
    return next_score(StoredSchedule(schedule, Meta(last, runs)), still_waiting + len(plan.wait))


def jitter_of(schedule: Schedule, when: When, tick: datetime) -> timedelta:
    """Return the delay between a tick and the sending of the run."""
    if schedule.policies.jitter <= 0:
        return timedelta(0)
    seconds = jitter.delay(schedule.uid, tick, schedule.policies.jitter, next_tick(when, tick))
    return timedelta(seconds=seconds)


def with_inferred_last_run(
    entry: StoredSchedule, score: float | None, now: datetime
) -> StoredSchedule:
    """Return the entry with an inferred last run in place of a lost one.

    An entry with a last run is unchanged. `score` is the time of Beat's next look in seconds, from
    which follows the first tick not yet dealt with. Where no tick matches the score, ticks count
    from `now` on, as for a new schedule. An entry written by RedBeat's own code gets no last run: a
    new entry of RedBeat runs at once, as with stock Beat.
    """
    schedule = entry.schedule
    if (
        entry.meta.last_run_at is not None
        or schedule.updated_at is None
        or isinstance(schedule.when, RedBeatWhen)
    ):
        return entry
    last = resting_point(schedule.when, now)
    if score is not None and 0 <= score <= now.timestamp():
        tick = _tick_of_score(schedule, datetime.fromtimestamp(score, UTC))
        if tick is not None:
            last = tick - _MICROSECOND
    return replace(entry, meta=replace(entry.meta, last_run_at=last))


def _tick_of_score(schedule: Schedule, moment: datetime) -> datetime | None:
    """Return the tick, with jitter, behind the score `moment`; None where no tick matches."""
    longest = timedelta(seconds=min(schedule.policies.jitter, _A_YEAR))
    tick = latest_tick(schedule.when, moment - longest - _GRAIN_OF_A_SCORE, moment)
    if tick is None:
        return None
    due = tick + jitter_of(schedule, schedule.when, tick)
    return tick if abs(due - moment) < _GRAIN_OF_A_SCORE else None
