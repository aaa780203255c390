"""Beat's decision about an entry: the tick to send, the ticks to wait, and verdicts on all others.

Pure: `now` is an argument, and the answer is a value.

The decision, in order:

    1. The schedule is off, or paused    nothing is sent; waiting ticks are skipped, but ticks
                                         requested by an operator wait for the end of a pause
    2. The calendar cannot be read       nothing is sent or decided; Beat looks again in 3 seconds
    3. Ticks wait and no run is alive    the oldest waiting tick that may still run is sent; due
                                         ticks are left for the next look
    4. RedBeat's own code wrote the      the entry runs at once, as with stock Beat
       entry, without a last run
    5. Neither 3 nor 4 applies           the due ticks (`due_ticks`)
       5.1 the time since the last tick, within the window; a tick whose jitter is not over is left
           for later
       5.2 ticks in a pause that has ended by itself are skipped
       5.3 ticks excluded by the calendar are skipped
       5.4 catch-up: the ticks that run after an absence, and the missed ticks
       5.5 of the ticks that run, a tick skipped by the operator, beyond `max_runs`, or past its
           deadline gets a verdict for the same reason
       5.6 overlap: the tick is sent, waits for earlier runs, or is skipped
    6. The next look: at the next tick, with jitter (`next_look`)

Every passed tick is sent, waits, or has a verdict. The script continues with the steps 7 to 11, at
the head of `beat/fire.lua`: it carries the plan out, each entry whole or not at all.
`beat/planner.py` stands between plan and script, and makes the message of the sent tick. Stock Beat
follows the same plan, with a script of its own (`beat/stock/advance.lua`), but publishes after the
entry is advanced, so that a run can be lost between the two steps.

Not decided here: rules that only RedBeat computes (`beat/stock/by_redbeat.py`). Decided once more,
by the worker, before a run begins: `dispatch/start_check.py`. A shortcut with the same answer:
`beat/fast/single_tick.py`. For our Beat, `now` is the time of Redis.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from scheduler.dispatch.due_ticks import Look, plan_due, too_late
from scheduler.dispatch.next_look import score_after
from scheduler.dispatch.verdicts import Plan, Verdict, skipped
from scheduler.redbeat import codec
from scheduler.redbeat.codec import StoredSchedule
from scheduler.redbeat.waiting import WaitingTick
from scheduler.rules.calendars import exclusions
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.spec import Schedule
from scheduler.rules.policies import window
from scheduler.schedules.changes import ASLEEP

CALENDAR_AWAITED = timedelta(seconds=3)
"""After how long to look again at a schedule whose calendar cannot be read."""


def plan(
    entry: StoredSchedule,
    now: datetime,
    alive: int,
    waiting: Sequence[WaitingTick],
    calendar: Calendar | None = None,
) -> Plan:
    """Return the plan for an entry at `now`.

    `alive` is the number of runs of the schedule that are not final; `waiting` are the waiting
    ticks, oldest first; `calendar` is the present calendar of `window.calendar`, or None for a
    missing or unreadable calendar. Ticks are then caught up with once the calendar can be read
    again.
    """
    schedule, last = entry.schedule, entry.meta.last_run_at
    if not schedule.enabled or window.is_paused(schedule, now):
        return _plan_to_stop(schedule, waiting)
    if schedule.window.calendar is not None and calendar is None:
        return Plan(score=(now + CALENDAR_AWAITED).timestamp())
    when = codec.anchored(schedule.when, entry.meta)
    if waiting and not alive:
        decided = _plan_next_turn(schedule, waiting, now, calendar)
    elif last is None:
        decided = _plan_first_run(now.replace(microsecond=0), calendar)
    else:
        sent = entry.meta.total_run_count or 0
        decided = plan_due(Look(schedule, when, now, last, sent, alive, waiting, calendar))
    return replace(decided, score=score_after(decided, entry, when, waiting, now))


def _plan_to_stop(schedule: Schedule, waiting: Sequence[WaitingTick]) -> Plan:
    """1: nothing runs. An operator's ticks outlast a pause, and end where the schedule is off."""
    drop = [tick for tick in waiting if tick.actor is None or not schedule.enabled]
    reason = "paused" if schedule.enabled else "operator"
    until = schedule.paused.until if schedule.enabled and schedule.paused is not None else None
    return Plan(
        score=ASLEEP if until is None else until.timestamp(),
        drop=drop,
        verdicts=[skipped(reason, tick.tick) for tick in drop],
    )


def _plan_next_turn(
    schedule: Schedule, waiting: Sequence[WaitingTick], now: datetime, calendar: Calendar | None
) -> Plan:
    """3: send the oldest waiting tick that may still run; older ticks get a verdict."""
    drop: list[WaitingTick] = []
    verdicts: list[Verdict] = []
    for tick in waiting:
        drop.append(tick)
        verdict = _verdict_on_waiting(schedule, tick, now, calendar)
        if verdict is None:
            return Plan(send=tick.tick, sent_from_waiting=tick, drop=drop, verdicts=verdicts)
        verdicts.append(verdict)
    return Plan(drop=drop, verdicts=verdicts)


def _verdict_on_waiting(
    schedule: Schedule, waiting: WaitingTick, now: datetime, calendar: Calendar | None
) -> Verdict | None:
    """Return the reason not to send a waiting tick; None for a tick to send."""
    if waiting.actor is not None:
        return None  # what an operator asked for is never too late
    late = too_late(schedule.policies, waiting.tick, now)
    if late is not None:
        return late
    if waiting.tick in schedule.skips:
        return skipped("operator", waiting.tick)
    return skipped("calendar", waiting.tick) if _is_excluded(calendar, waiting.tick) else None


def _plan_first_run(tick: datetime, calendar: Calendar | None) -> Plan:
    """4: send an entry of RedBeat's own code, without a last run, at once."""
    if _is_excluded(calendar, tick):
        return Plan(last=tick, verdicts=[skipped("calendar", tick)])
    return Plan(last=tick, send=tick)


def _is_excluded(calendar: Calendar | None, tick: datetime) -> bool:
    return calendar is not None and exclusions.excludes(calendar, tick)
