"""What Beat does about an entry when it looks at it: which tick it sends, which it holds, and a verdict on the others.

Pure: puts together what `rules` decides about pause, window, catch-up, overlap, deadline and jitter. `beat_entry` reads
what is needed, and writes the plan in one transaction. Every tick that is passed is sent, held, or has a ruling.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from scheduler.rules import catch_up, jitter, overlap, window
from scheduler.rules.catch_up import MOST_COUNTED, Due
from scheduler.rules.spec import Policies, Schedule, When
from scheduler.rules.ticks import count_ticks, latest_tick, next_tick
from scheduler.schedules import codec
from scheduler.schedules.changes import ASLEEP
from scheduler.schedules.codec import Entry

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Ruling:
    """Why the ticks from `first` to `last` become no run."""

    state: Literal["missed", "skipped"]
    reason: str
    first: datetime
    last: datetime
    count: int = 1


@dataclass
class Plan:
    """What to write, and what to send. `last` is the newest tick that is dealt with, `score` when to look again."""

    score: float = ASLEEP
    last: datetime | None = None
    send: datetime | None = None
    taken: bool = False
    """The tick that is sent was held until now."""

    hold: list[datetime] = field(default_factory=list)
    drop: list[datetime] = field(default_factory=list)
    """Held ticks that are held no longer, the one that is sent among them."""

    cancel: bool = False
    """Ask the runs that are alive to end."""

    rulings: list[Ruling] = field(default_factory=list)

    @property
    def says_anything(self) -> bool:
        """Is there more to write than the score?"""
        return bool(self.last or self.hold or self.drop or self.rulings)

    def skip(self, reason: str, tick: datetime) -> None:
        """Rule that one tick is skipped."""
        self.rulings.append(Ruling("skipped", reason, tick, tick))


def plan(entry: Entry, now: datetime, alive: int, waiting: Sequence[datetime]) -> Plan:
    """Decide. `alive` runs of the schedule are not final, `waiting` ticks are held, the oldest first."""
    schedule, last = entry.schedule, entry.meta.last_run_at
    made = Plan()
    if not schedule.enabled or window.is_paused(schedule, now):
        for tick in waiting:
            made.skip("paused" if schedule.enabled else "operator", tick)
        made.drop = list(waiting)
        until = schedule.paused.until if schedule.enabled and schedule.paused is not None else None
        made.score = ASLEEP if until is None else until.timestamp()
        return made
    when = codec.anchored(schedule.when, entry.meta)
    if waiting and not alive:
        _send_held(made, schedule, waiting, now)
    elif last is None:
        made.send = made.last = now.replace(microsecond=0)  # as stock does with an entry that never ran
    else:
        _deal_with_due(made, schedule, when, _Look(now, last, entry.meta.total_run_count or 0, alive, waiting))
    made.score = _next_look(made, entry, when, waiting, now)
    return made


def next_score(entry: Entry, waiting: int = 0) -> float:
    """When to look at an entry that is neither paused nor disabled: at its next tick, a little later with jitter."""
    last, schedule = entry.meta.last_run_at, entry.schedule
    if last is None:
        return ASLEEP
    when = codec.anchored(schedule.when, entry.meta)
    known = schedule if when is schedule.when else schedule.model_copy(update={"when": when})
    tick = window.bounded_next_tick(known, last, runs=(entry.meta.total_run_count or 0) + waiting)
    return ASLEEP if tick is None else (tick + _jitter(schedule, when, tick)).timestamp()


class _Look(NamedTuple):
    """What is known when Beat looks."""

    now: datetime
    last: datetime
    sent: int
    alive: int
    waiting: Sequence[datetime]


def _send_held(made: Plan, schedule: Schedule, waiting: Sequence[datetime], now: datetime) -> None:
    """The oldest held tick that may still run has its turn."""
    for tick in waiting:
        made.drop.append(tick)
        if _too_late(made, schedule.policies, tick, now):
            continue
        if tick in schedule.skips:
            made.skip("operator", tick)
            continue
        made.send, made.taken = tick, True
        return


def _deal_with_due(made: Plan, schedule: Schedule, when: When, look: _Look) -> None:
    """Rule on all ticks since the last one, up to now."""
    after, until = look.last, look.now
    limits, policies = schedule.window, schedule.policies
    if limits.starts_at is not None:
        after = max(after, limits.starts_at - _MICROSECOND)
    if limits.ends_at is not None:
        until = min(until, limits.ends_at - _MICROSECOND)
    left = None if limits.max_runs is None else limits.max_runs - look.sent - len(look.waiting)
    newest = latest_tick(when, after, until) if left is None or left > 0 else None
    if newest is not None and newest + _jitter(schedule, when, newest) > look.now:
        until = newest - _MICROSECOND
        newest = latest_tick(when, after, until)
    if newest is None:
        return
    made.last = newest
    after = _rule_paused(made, schedule, when, after, until)
    caught = catch_up.plan(
        policies.catch_up, policies.catch_up_window, Due(when, after, until), look.now, most=policies.queue_limit + 1
    )
    made.rulings += [Ruling("missed", gone.reason, gone.first, gone.last, gone.count) for gone in caught.missed]
    policy = "queue_all" if len(caught.run) > 1 else policies.overlap
    for tick in caught.run:
        if tick in schedule.skips:
            made.skip("operator", tick)
        elif left is not None and left <= 0:
            made.skip("finished", tick)
        elif not _too_late(made, policies, tick, look.now) and _place(made, policies, policy, tick, look):
            left = None if left is None else left - 1


def _place(made: Plan, policies: Policies, policy: overlap.Overlap, tick: datetime, look: _Look) -> bool:
    """Send a tick, hold it, or skip it. Whether it will run."""
    alive = look.alive + (made.send is not None)
    verdict = overlap.decide(policy, alive, len(look.waiting) + len(made.hold), policies.queue_limit)
    if verdict == "send":
        made.send = tick
    elif verdict == "skip":
        made.skip("overlap", tick)
        return False
    else:
        if verdict == "cancel_and_hold":
            for held in look.waiting:
                made.skip("overlap", held)
            made.drop, made.cancel = list(look.waiting), True
        made.hold.append(tick)
    return True


def _rule_paused(made: Plan, schedule: Schedule, when: When, after: datetime, until: datetime) -> datetime:
    """The ticks of a pause that has ended by itself are skipped; where the others begin."""
    pause = schedule.paused
    if pause is None or pause.until is None or pause.until > until:
        return after
    ends = pause.until - _MICROSECOND
    first, last = next_tick(when, after), latest_tick(when, after, ends)
    if first is not None and last is not None:
        made.rulings.append(Ruling("skipped", "paused", first, last, count_ticks(when, after, ends, MOST_COUNTED)))
    return max(after, ends)


def _too_late(made: Plan, policies: Policies, tick: datetime, now: datetime) -> bool:
    """A tick whose run could not start in time any more is missed."""
    late = policies.starting_deadline is not None and now - tick > timedelta(seconds=policies.starting_deadline)
    if late:
        made.rulings.append(Ruling("missed", "deadline", tick, tick))
    return late


def _next_look(made: Plan, entry: Entry, when: When, waiting: Sequence[datetime], now: datetime) -> float:
    """After what is planned: when to look again."""
    last = made.last or entry.meta.last_run_at or now.replace(microsecond=0)
    count = (entry.meta.total_run_count or 0) + (made.send is not None)
    schedule = entry.schedule.model_copy(update={"when": when})
    later = Entry(schedule, codec.Meta(last, count))
    return next_score(later, len(waiting) - len(made.drop) + len(made.hold))


def _jitter(schedule: Schedule, when: When, tick: datetime) -> timedelta:
    """How much later than its tick the run is sent."""
    if schedule.policies.jitter <= 0:
        return timedelta(0)
    seconds = jitter.delay(schedule.uid, tick, schedule.policies.jitter, next_tick(when, tick))
    return timedelta(seconds=seconds)
