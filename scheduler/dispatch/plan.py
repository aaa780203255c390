"""What Beat does about an entry when it looks at it: which tick it sends, which it holds, and a
verdict on the others.

Pure: puts together what `rules` decides about pause, window, catch-up, overlap, deadline and
jitter. `beat_entry` reads what is needed, and writes the plan in one transaction. Every tick that
is passed is sent, held, or has a ruling.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta, StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.calendars import exclusions
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import (
    Policies,
    RedBeatWhen,
    Schedule,
    When,
)
from scheduler.rules.policies import (
    catch_up,
    jitter,
    overlap,
    window,
)
from scheduler.rules.policies.catch_up import (
    MOST_COUNTED,
    CatchUp,
    Due,
    Missed,
)
from scheduler.rules.ticks import count_ticks, latest_tick, next_tick
from scheduler.schedules.changes import ASLEEP, resting_point

CALENDAR_AWAITED = timedelta(seconds=3)
"""After how long to look again at a schedule whose calendar cannot be read."""

_MICROSECOND = timedelta(microseconds=1)
_A_SCORES_GRAIN = timedelta(milliseconds=1)
_A_YEAR = 366 * 86_400.0


@dataclass(frozen=True)
class Verdict:
    """Why the ticks from `first` to `last` become no run."""

    state: RunState
    """MISSED or SKIPPED."""

    reason: str
    first: datetime
    last: datetime
    count: int = 1


@dataclass
class Plan:
    """What to write, and what to send. `last` is the newest tick that is dealt with, `score` when
    to look again.
    """

    score: float = ASLEEP
    last: datetime | None = None
    send: datetime | None = None
    taken: WaitingTick | None = None
    """How the tick that is sent was held until now."""

    hold: list[datetime] = field(default_factory=list)
    drop: list[WaitingTick] = field(default_factory=list)
    """Held ticks that are held no longer, the one that is sent among them."""

    cancel: bool = False
    """Ask the runs that are alive to end."""

    rulings: list[Verdict] = field(default_factory=list)

    @property
    def has_changes(self) -> bool:
        """Is there more to write than the score?"""
        return bool(self.last or self.hold or self.drop or self.rulings)

    @property
    def counts(self) -> bool:
        """Is one of the schedule's own runs sent, of which it may have a limited number?"""
        return self.send is not None and (self.taken is None or self.taken.counts_toward_max_runs)

    def skip(self, reason: str, tick: datetime) -> None:
        """Rule that one tick is skipped."""
        self.rulings.append(Verdict(RunState.SKIPPED, reason, tick, tick))


def plan(
    entry: StoredSchedule,
    now: datetime,
    alive: int,
    waiting: Sequence[WaitingTick],
    calendar: Calendar | None = None,
) -> Plan:
    """Decide. `alive` runs of the schedule are not final, `waiting` ticks are held, the oldest
    first.

    `calendar` is the one that `window.calendar` names, as it is now. Where it names one and none is
    given, since it is gone or unreadable, nothing is sent and no tick has a verdict until it is
    there again: then they are caught up with.
    """
    schedule, last = entry.schedule, entry.meta.last_run_at
    made = Plan()
    if not schedule.enabled or window.is_paused(schedule, now):
        _stop(made, schedule, waiting)
        return made
    if schedule.window.calendar is not None and calendar is None:
        made.score = (now + CALENDAR_AWAITED).timestamp()
        return made
    when = codec.anchored(schedule.when, entry.meta)
    if waiting and not alive:
        _send_held(made, schedule, waiting, now, calendar)
    elif last is None:
        made.last = now.replace(microsecond=0)  # as stock does with an entry that never ran
        if _is_excluded(calendar, made.last):
            made.skip("calendar", made.last)
        else:
            made.send = made.last
    else:
        look = _Look(now, last, entry.meta.total_run_count or 0, alive, waiting, calendar)
        _deal_with_due(made, schedule, when, look)
    made.score = _next_look(made, entry, when, waiting, now)
    return made


def remembered(entry: StoredSchedule, score: float | None, now: datetime) -> StoredSchedule:
    """The entry with a memory in place of one that was lost.

    The time at which Beat was to look at it tells which tick has not been dealt with; where it
    tells none, ticks count from now on, as those of a new schedule do. An entry that is not ours
    has no memory while it is new, and runs at once as in stock.
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
        moment = datetime.fromtimestamp(score, UTC)
        oldest = (
            moment - timedelta(seconds=min(schedule.policies.jitter, _A_YEAR)) - _A_SCORES_GRAIN
        )
        tick = latest_tick(schedule.when, oldest, moment)
        if (
            tick is not None
            and abs(tick + _jitter(schedule, schedule.when, tick) - moment) < _A_SCORES_GRAIN
        ):
            last = tick - _MICROSECOND
    return replace(entry, meta=replace(entry.meta, last_run_at=last))


def next_score(entry: StoredSchedule, waiting: int = 0) -> float:
    """When to look at an entry that is neither paused nor disabled: at its next tick, a little
    later with jitter.
    """
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
    waiting: Sequence[WaitingTick]
    calendar: Calendar | None

    @property
    def runs(self) -> int:
        """How many of the runs that the schedule may have are used up, or will be."""
        return self.sent + sum(held.counts_toward_max_runs for held in self.waiting)


def _stop(made: Plan, schedule: Schedule, waiting: Sequence[WaitingTick]) -> None:
    """Nothing runs. What an operator asked for waits for the end of a pause; to switch the schedule
    off ends it.
    """
    made.drop = [held for held in waiting if held.actor is None or not schedule.enabled]
    for held in made.drop:
        made.skip("paused" if schedule.enabled else "operator", held.tick)
    until = schedule.paused.until if schedule.enabled and schedule.paused is not None else None
    made.score = ASLEEP if until is None else until.timestamp()


def _is_excluded(calendar: Calendar | None, tick: datetime) -> bool:
    return calendar is not None and exclusions.excludes(calendar, tick)


def _send_held(
    made: Plan,
    schedule: Schedule,
    waiting: Sequence[WaitingTick],
    now: datetime,
    calendar: Calendar | None,
) -> None:
    """The oldest held tick that may still run has its turn. What an operator asked for is never too
    late.
    """
    for held in waiting:
        made.drop.append(held)
        if held.actor is None and _too_late(made, schedule.policies, held.tick, now):
            continue
        if held.actor is None and held.tick in schedule.skips:
            made.skip("operator", held.tick)
            continue
        if held.actor is None and _is_excluded(calendar, held.tick):
            made.skip("calendar", held.tick)
            continue
        made.send, made.taken = held.tick, held
        return


def _deal_with_due(made: Plan, schedule: Schedule, when: When, look: _Look) -> None:
    """Rule on all ticks since the last one, up to now."""
    after, until = look.last, look.now
    limits, policies = schedule.window, schedule.policies
    if limits.starts_at is not None:
        after = max(after, limits.starts_at - _MICROSECOND)
    if limits.ends_at is not None:
        until = min(until, limits.ends_at - _MICROSECOND)
    left = None if limits.max_runs is None else limits.max_runs - look.runs
    newest = latest_tick(when, after, until) if left is None or left > 0 else None
    if newest is not None and newest + _jitter(schedule, when, newest) > look.now:
        until = newest - _MICROSECOND
        newest = latest_tick(when, after, until)
    if newest is None:
        return
    made.last = newest
    parts = _rule_paused(made, schedule, when, Due(when, after, until, look.calendar))
    out = [one for due in parts for one in catch_up.excluded(due)]
    made.rulings += [
        Verdict(RunState.SKIPPED, "calendar", one.first, one.last, one.count) for one in out
    ]
    caught = _caught_up(policies, parts, look.now)
    made.rulings += [
        Verdict(RunState.MISSED, gone.reason, gone.first, gone.last, gone.count)
        for gone in caught.missed
    ]
    policy = "queue_all" if len(caught.run) > 1 else policies.overlap
    for tick in caught.run:
        if tick in schedule.skips:
            made.skip("operator", tick)
        elif left is not None and left <= 0:
            made.skip("finished", tick)
        elif not _too_late(made, policies, tick, look.now) and _place(
            made, policies, policy, tick, look
        ):
            left = None if left is None else left - 1


def _place(
    made: Plan, policies: Policies, policy: overlap.Overlap, tick: datetime, look: _Look
) -> bool:
    """Send a tick, hold it, or skip it. Whether it will run."""
    alive = look.alive + (made.send is not None)
    due = [held for held in look.waiting if held.actor is None]
    made.drop += [held for held in look.waiting if held.tick == tick and held.actor is not None]
    verdict = overlap.decide(policy, alive, len(due) + len(made.hold), policies.queue_limit)
    if verdict == "send":
        made.send = tick
    elif verdict == "skip":
        made.skip("overlap", tick)
        return False
    else:
        if verdict == "cancel_and_hold":
            for held in due:
                made.skip("overlap", held.tick)
            made.drop += due
            made.cancel = True
        made.hold.append(tick)
    return True


def _caught_up(policies: Policies, parts: list[Due], now: datetime) -> CatchUp:
    """The catch-up rules for ticks in one or two times; with `latest`, the newest of them all is
    the one that runs.
    """
    most = policies.queue_limit + 1
    plans = [
        catch_up.plan(policies.catch_up, policies.catch_up_window, due, now, most=most)
        for due in parts
    ]
    run = [tick for caught in plans for tick in caught.run]
    missed = [gone for caught in plans for gone in caught.missed]
    if policies.catch_up != "all":
        missed += [Missed(tick, tick, 1, "coalesced") for tick in run[:-1]]
        run = run[-1:]
    return CatchUp(run, missed)


def _rule_paused(made: Plan, schedule: Schedule, when: When, due: Due) -> list[Due]:
    """The ticks of a pause that has ended by itself are skipped; what is left before it and after
    it.
    """
    pause = schedule.paused
    if pause is None or pause.until is None or pause.until > due.until or pause.until <= due.after:
        return [due]
    begins, ends = max(due.after, pause.since - _MICROSECOND), pause.until - _MICROSECOND
    first, last = next_tick(when, begins), latest_tick(when, begins, ends)
    if first is not None and last is not None:
        made.rulings.append(
            Verdict(
                RunState.SKIPPED,
                "paused",
                first,
                last,
                count_ticks(when, begins, ends, MOST_COUNTED),
            )
        )
    return [replace(due, until=begins), replace(due, after=ends)]


def _too_late(made: Plan, policies: Policies, tick: datetime, now: datetime) -> bool:
    """A tick whose run could not start in time any more is missed."""
    late = policies.starting_deadline is not None and now - tick > timedelta(
        seconds=policies.starting_deadline
    )
    if late:
        made.rulings.append(Verdict(RunState.MISSED, "deadline", tick, tick))
    return late


def _next_look(
    made: Plan, entry: StoredSchedule, when: When, waiting: Sequence[WaitingTick], now: datetime
) -> float:
    """After what is planned: when to look again."""
    last = made.last or entry.meta.last_run_at or now.replace(microsecond=0)
    schedule = entry.schedule.model_copy(update={"when": when})
    later = StoredSchedule(schedule, Meta(last, (entry.meta.total_run_count or 0) + made.counts))
    still = sum(held.counts_toward_max_runs for held in waiting if held not in made.drop)
    return next_score(later, still + len(made.hold))


def _jitter(schedule: Schedule, when: When, tick: datetime) -> timedelta:
    """How much later than its tick the run is sent."""
    if schedule.policies.jitter <= 0:
        return timedelta(0)
    seconds = jitter.delay(schedule.uid, tick, schedule.policies.jitter, next_tick(when, tick))
    return timedelta(seconds=seconds)
