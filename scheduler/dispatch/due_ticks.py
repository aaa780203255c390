"""Step 5 of `dispatch.plan`: which of the ticks that have come due since the last one is sent,
which wait, and the verdicts on the others. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduler.dispatch.next_look import jitter_of
from scheduler.dispatch.verdicts import Plan, Verdict, skipped
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import Policies, Schedule, When
from scheduler.rules.policies import catch_up, overlap
from scheduler.rules.policies.catch_up import MOST_COUNTED, CatchUp, Due, Missed
from scheduler.rules.ticks import count_ticks, latest_tick, next_tick

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Look:
    """A schedule as Beat finds it: `when` with its anchor, `last` tick and number of runs `sent`,
    runs that are `alive`, ticks that are `waiting`, and the calendar that it names.
    """

    schedule: Schedule
    when: When
    now: datetime
    last: datetime
    sent: int
    alive: int
    waiting: Sequence[WaitingTick]
    calendar: Calendar | None

    @property
    def runs_left(self) -> int | None:
        """How many runs `max_runs` still allows, waiting ones counted; None where it is not set."""
        most = self.schedule.window.max_runs
        if most is None:
            return None
        return most - self.sent - sum(tick.counts_toward_max_runs for tick in self.waiting)


def plan_due(look: Look) -> Plan:
    """The plan for all ticks since `look.last`, up to now; its score is not set."""
    policies = look.schedule.policies
    due, newest = _due(look)
    if newest is None:
        return Plan()
    parts, verdicts = _without_pause(look.schedule, due)
    excluded = [ticks for part in parts for ticks in catch_up.excluded(part)]
    verdicts += [Verdict(RunState.SKIPPED, "calendar", *_span(ticks)) for ticks in excluded]
    caught = _catch_up(policies, parts, look.now)
    verdicts += [Verdict(RunState.MISSED, ticks.reason, *_span(ticks)) for ticks in caught.missed]
    turns = _take_turns(caught.run, look)
    return replace(turns, last=newest, verdicts=verdicts + turns.verdicts)


def too_late(policies: Policies, tick: datetime, now: datetime) -> Verdict | None:
    """The verdict on a tick whose run could not start in time any more; None where it could."""
    deadline = policies.starting_deadline
    if deadline is None or now - tick <= timedelta(seconds=deadline):
        return None
    return Verdict(RunState.MISSED, "deadline", tick, tick)


def _due(look: Look) -> tuple[Due, datetime | None]:
    """5.1: the time in which ticks are due, and the newest of them; None where none is."""
    limits, after, until = look.schedule.window, look.last, look.now
    if limits.starts_at is not None:
        after = max(after, limits.starts_at - _MICROSECOND)
    if limits.ends_at is not None:
        until = min(until, limits.ends_at - _MICROSECOND)
    left = look.runs_left
    newest = latest_tick(look.when, after, until) if left is None or left > 0 else None
    if newest is not None and newest + jitter_of(look.schedule, look.when, newest) > look.now:
        until = newest - _MICROSECOND  # its run is sent later, by its jitter
        newest = latest_tick(look.when, after, until)
    return Due(look.when, after, until, look.calendar), newest


def _without_pause(schedule: Schedule, due: Due) -> tuple[list[Due], list[Verdict]]:
    """5.2: the time before and after a pause that has ended by itself, and the verdict on the
    ticks in it.
    """
    pause = schedule.paused
    if pause is None or pause.until is None or not due.after < pause.until <= due.until:
        return [due], []
    begins = max(due.after, pause.since - _MICROSECOND)
    ends = pause.until - _MICROSECOND
    parts = [replace(due, until=begins), replace(due, after=ends)]
    first, last = next_tick(due.when, begins), latest_tick(due.when, begins, ends)
    if first is None or last is None:
        return parts, []
    count = count_ticks(due.when, begins, ends, MOST_COUNTED)
    return parts, [Verdict(RunState.SKIPPED, "paused", first, last, count)]


def _catch_up(policies: Policies, parts: list[Due], now: datetime) -> CatchUp:
    """5.4: the catch-up rules over one or two times; but for `all`, only the newest tick of them
    all runs.
    """
    most = policies.queue_limit + 1
    plans = [
        catch_up.plan(policies.catch_up, policies.catch_up_window, part, now, most=most)
        for part in parts
    ]
    run = [tick for caught in plans for tick in caught.run]
    missed = [ticks for caught in plans for ticks in caught.missed]
    if policies.catch_up != "all":
        missed += [Missed(tick, tick, 1, "coalesced") for tick in run[:-1]]
        run = run[-1:]
    return CatchUp(run, missed)


def _verdict_on(tick: datetime, look: Look, left: int | None) -> Verdict | None:
    """5.5: the verdict on a tick that an operator skipped, that is one too many, or too late."""
    if tick in look.schedule.skips:
        return skipped("operator", tick)
    if left is not None and left <= 0:
        return skipped("finished", tick)
    return too_late(look.schedule.policies, tick, look.now)


def _take_turns(ticks: Sequence[datetime], look: Look) -> Plan:
    """5.5 and 5.6: each tick is sent, waits, or gets a verdict."""
    policies = look.schedule.policies
    # Several ticks at once can only be those of a catch-up with `all`: they run one after another.
    policy: overlap.Overlap = "queue_all" if len(ticks) > 1 else policies.overlap
    own = [waiting for waiting in look.waiting if waiting.actor is None]
    send: datetime | None = None
    wait: list[datetime] = []
    drop: list[WaitingTick] = []
    verdicts: list[Verdict] = []
    cancel = False
    left = look.runs_left
    for tick in ticks:
        verdict = _verdict_on(tick, look, left)
        if verdict is not None:
            verdicts.append(verdict)
            continue
        # An operator's waiting tick that now comes due by itself is the same run.
        drop += [one for one in look.waiting if one.tick == tick and one.actor is not None]
        alive = look.alive + (send is not None)
        choice = overlap.decide(policy, alive, len(own) + len(wait), policies.queue_limit)
        if choice == "skip":
            verdicts.append(skipped("overlap", tick))
            continue
        if choice == "send":
            send = tick
        else:
            wait.append(tick)
        if choice == "cancel_and_hold":
            cancel = True
            verdicts += [skipped("overlap", waiting.tick) for waiting in own]
            drop += own
        if left is not None:
            left -= 1
    return Plan(send=send, wait=wait, drop=drop, cancel=cancel, verdicts=verdicts)


def _span(ticks: catch_up.Range) -> tuple[datetime, datetime, int]:
    return ticks.first, ticks.last, ticks.count
