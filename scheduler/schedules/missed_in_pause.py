"""Ticks that Beat has not dealt with when an operator acts: verdicts on them, and those of a pause
that run at its end. Pure.

A schedule that is finished has no such ticks: none exists after its end, whatever is done to it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeVar

from scheduler.errors import Refused
from scheduler.events.schema import TicksEvent, TicksMissed, TicksSkipped
from scheduler.redbeat import codec
from scheduler.redbeat.codec import StoredSchedule
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.spec import (
    RedBeatWhen,
    Schedule,
    When,
)
from scheduler.rules.policies.catch_up import (
    MOST_COUNTED,
    ON_TIME,
    Due,
    excluded,
    ranges,
)
from scheduler.rules.policies.window import free_ticks, free_times, is_paused
from scheduler.rules.ticks import count_ticks, has_computable_ticks, latest_tick, next_tick

MOST_STARTED = 1000
"""The most runs that a resume starts."""

_MICROSECOND = timedelta(microseconds=1)

Verdict = TypeVar("Verdict", bound=TicksEvent)
Range = tuple[datetime, datetime, int]


class Part(NamedTuple):
    """A time (after, until], in the schedule's pause or not."""

    after: datetime
    until: datetime
    is_paused: bool


@dataclass
class MissedInPause:
    """The ticks that run, oldest first, and the verdicts on the other ticks."""

    schedule: Schedule
    now: datetime
    run: list[datetime] = field(default_factory=list)
    verdicts: list[TicksEvent] = field(default_factory=list)

    def rule(self, kind: type[TicksEvent], reason: str, ticks: Range | None) -> None:
        """Add a verdict on a range of ticks; no verdict for `ticks` None."""
        if ticks is not None:
            self.verdicts.append(verdict(kind, self.schedule, reason, ticks, self.now))

    def rule_between(
        self, kind: type[TicksEvent], reason: str, when: When, after: datetime, until: datetime
    ) -> None:
        """Add a verdict on the ticks in (after, until]; a tick that an operator skipped gets its
        own.
        """
        for tick in sorted(self.schedule.skips):
            if after < tick <= until and next_tick(when, tick - _MICROSECOND) == tick:
                self.rule(kind, reason, ticks_in(when, after, tick - _MICROSECOND))
                self.rule(TicksSkipped, "operator", (tick, tick, 1))
                after = tick
        self.rule(kind, reason, ticks_in(when, after, until))


def sort(
    entry: StoredSchedule,
    missed: Literal["skip", "latest", "all"],
    now: datetime,
    calendar: Calendar | None = None,
) -> MissedInPause:
    """Decide on every tick between Beat's last tick and `now`.

    Ticks excluded by `calendar` do not run. Ticks due before the pause and not sent are missed
    (`scheduler_down`), since no Beat was there to send them. `missed` decides about the ticks of
    the pause. Raises Refused beyond `MOST_STARTED` runs.
    """
    schedule, last, pause = entry.schedule, entry.meta.last_run_at, entry.schedule.paused
    held = MissedInPause(schedule, now)
    if last is None or pause is None or not schedule.enabled or not has_ticks_left(entry):
        return held
    when = codec.anchored(schedule.when, entry.meta)
    after, until = undecided_bounds(schedule, last, now)
    begins = max(after, pause.since - _MICROSECOND)
    held.rule_between(TicksMissed, "scheduler_down", when, after, min(begins, until))
    if missed == "skip":
        held.rule_between(TicksSkipped, "paused", when, begins, until)
        return held
    chosen = _chosen(schedule.name, Due(when, begins, until, calendar), missed)
    before = chosen[0] - _MICROSECOND if chosen else until
    held.rule_between(TicksSkipped, "paused", when, begins, before)
    left = len(chosen)
    if schedule.window.max_runs is not None:
        left = max(schedule.window.max_runs - (entry.meta.total_run_count or 0), 0)
    for tick in chosen:
        if tick in schedule.skips:
            held.rule(TicksSkipped, "operator", (tick, tick, 1))
        elif len(held.run) >= left:
            held.rule(TicksSkipped, "finished", (tick, tick, 1))
        else:
            held.run.append(tick)
    if chosen:
        for out in excluded(Due(when, chosen[0], until, calendar)):
            held.rule(TicksSkipped, "calendar", (out.first, out.last, out.count))
    return held


Rest = Literal["awake", "paused", "disabled"]
"""Whether operators let a schedule fire, and if not, why."""


def rest_of(schedule: Schedule, now: datetime) -> Rest:
    """Return whether operators let the schedule fire at `now`, and if not, why."""
    if not schedule.enabled:
        return "disabled"
    return "paused" if is_paused(schedule, now) else "awake"


def passed_over(entry: StoredSchedule, now: datetime, rest: Rest = "awake") -> list[TicksEvent]:
    """Return verdicts on all ticks that Beat has not dealt with, for a change that passes over
    them.

    Ticks of a pause are skipped (`paused`), and so are those of a schedule that is off
    (`disabled`). Of a schedule that fires, ticks long overdue are missed (`scheduler_down`); for
    ticks due just now, or delayed by jitter, `rest` after the change is the reason, and `operator`
    for one that goes on firing.
    """
    schedule, last = entry.schedule, entry.meta.last_run_at
    if last is None or not has_ticks_left(entry):
        return []
    if schedule.enabled and is_paused(schedule, now):
        return sort(entry, "skip", now).verdicts
    held = MissedInPause(schedule, now)
    when = codec.anchored(schedule.when, entry.meta)
    after, until = undecided_bounds(schedule, last, now)
    if not schedule.enabled:
        held.rule_between(TicksSkipped, "disabled", when, after, until)
        return held.verdicts
    reason = "operator" if rest == "awake" else rest
    late = now - ON_TIME - timedelta(seconds=schedule.policies.jitter)
    for part in parts_by_pause(schedule, after, until):
        if part.is_paused:
            held.rule_between(TicksSkipped, "paused", when, part.after, part.until)
            continue
        cut = min(max(part.after, late), part.until)
        held.rule_between(TicksMissed, "scheduler_down", when, part.after, cut)
        held.rule_between(TicksSkipped, reason, when, cut, part.until)
    return held.verdicts


def parts_by_pause(schedule: Schedule, after: datetime, until: datetime) -> list[Part]:
    """Return (after, until] in up to three parts: before, in and after the schedule's pause."""
    pause = schedule.paused
    if pause is None:
        return [Part(after, until, False)]
    begins = min(max(after, pause.since - _MICROSECOND), until)
    ends = until if pause.until is None else min(max(begins, pause.until - _MICROSECOND), until)
    parts = [Part(after, begins, False), Part(begins, ends, True), Part(ends, until, False)]
    return [part for part in parts if part.after < part.until]


def has_ticks_left(entry: StoredSchedule) -> bool:
    """Whether the ticks after Beat's last one are computed here, and `max_runs` is not used up."""
    most = entry.schedule.window.max_runs
    if most is not None and (entry.meta.total_run_count or 0) >= most:
        return False
    return not isinstance(entry.schedule.when, RedBeatWhen)


def held_ticks(entry: StoredSchedule, now: datetime) -> Range | None:
    """Return the range of ticks missed in the pause until `now`.

    None without a pause, without a missed tick, for a finished schedule, or where only RedBeat
    computes the ticks. The resume page shows the range and asks for a decision.
    """
    schedule = entry.schedule
    pause, when = schedule.paused, codec.anchored(schedule.when, entry.meta)
    if pause is None or not has_ticks_left(entry) or not has_computable_ticks(when):
        return None
    after, until = undecided_bounds(schedule, pause.since - _MICROSECOND, now)
    return ticks_in(when, after, until)


def ticks_in(when: When, after: datetime, until: datetime) -> Range | None:
    """Return the first and last tick in (after, until], and their number; None without a tick.

    Counting stops at `MOST_COUNTED`.
    """
    first = next_tick(when, after)
    if first is None or first > until:
        return None
    last = latest_tick(when, after, until) or first
    return first, last, max(count_ticks(when, after, until, MOST_COUNTED), 1)


def verdict(
    kind: type[Verdict], schedule: Schedule, reason: Any, ticks: Range, now: datetime
) -> Verdict:
    """Return the event with the verdict on a range of ticks."""
    return kind(
        at=now,
        schedule=schedule.name,
        schedule_uid=schedule.uid,
        revision=schedule.revision,
        job=schedule.job,
        reason=reason,
        tick_from=ticks[0],
        tick_to=ticks[1],
        ticks=ticks[2],
    )


def undecided_bounds(
    schedule: Schedule, last: datetime, now: datetime
) -> tuple[datetime, datetime]:
    """Return the bounds (after, until] within which ticks count."""
    starts, ends = schedule.window.starts_at, schedule.window.ends_at
    after = last if starts is None else max(last, starts - _MICROSECOND)
    return after, now if ends is None else min(now, ends - _MICROSECOND)


def _chosen(name: str, due: Due, missed: str) -> list[datetime]:
    """Return the ticks that run after all. Raises Refused beyond `MOST_STARTED`."""
    found = ranges(due.when, free_times(due.after, due.until, due.calendar))
    if not found:
        return []
    if missed == "latest":
        return [found[-1].last]
    count = sum(one.count for one in found)
    if count > MOST_STARTED:
        raise Refused(
            f"{count} ticks of {name!r} were held back; {MOST_STARTED} runs can be started at "
            "once: resume with 'skip' or 'latest', and backfill what is needed",
            field="missed",
        )
    return list(free_ticks(due.when, due.after, due.until, due.calendar))
