"""Step 5 of `dispatch.plan`: the choice between sending, waiting and a verdict for each due tick.

Due are the ticks since the last tick. Pure.
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
from scheduler.schedules.missed_in_pause import undecided_bounds

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Look:
    """The state of a schedule at a look of Beat.

    `when` is the rule with the anchor, `last` the last tick, `sent` the number of runs sent,
    `alive` the number of living runs, `waiting` the waiting ticks, `calendar` the calendar of the
    window.
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
        """Return how many runs `max_runs` still allows; None without a limit.

        Waiting ticks count as runs.
        """
        most = self.schedule.window.max_runs
        if most is None:
            return None
        return most - self.sent - sum(tick.counts_toward_max_runs for tick in self.waiting)


def plan_due(look: Look) -> Plan:
    """Return the plan for all ticks after `look.last`, up to now. The plan has no score yet."""
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
    """Return the verdict on a tick past the deadline for starting; None for a tick in time."""
    deadline = policies.starting_deadline
    if deadline is None or now - tick <= timedelta(seconds=deadline):
        return None
    return Verdict(RunState.MISSED, "deadline", tick, tick)


def _due(look: Look) -> tuple[Due, datetime | None]:
    """5.1: return the time in which ticks are due, and the newest due tick or None."""
    after, until = undecided_bounds(look.schedule, look.last, look.now)
    left = look.runs_left
    newest = latest_tick(look.when, after, until) if left is None or left > 0 else None
    if newest is not None and newest + jitter_of(look.schedule, look.when, newest) > look.now:
        until = newest - _MICROSECOND  # its run is sent later, by its jitter
        newest = latest_tick(look.when, after, until)
    return Due(look.when, after, until, look.calendar), newest


def _without_pause(schedule: Schedule, due: Due) -> tuple[list[Due], list[Verdict]]:
    """5.2: cut a pause that ended by itself out of the due time.

    Returns the time before and after the pause, and the verdict on the ticks in the pause.
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
    """5.4: apply the catch-up rules to one or two periods.

    With any rule but `all`, only the newest tick of all periods runs.
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
    """5.5: return the verdict on a tick skipped by an operator, beyond `max_runs`, or too late."""
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
