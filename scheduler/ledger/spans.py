"""The open spans of a schedule: ticks not dealt with by anybody, and the reason. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from scheduler.history.recording.open_spans import OpenSpan
from scheduler.redbeat import codec
from scheduler.redbeat.codec import StoredSchedule
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import Schedule, When
from scheduler.rules.policies.window import bounded_next_tick
from scheduler.rules.ticks import has_computable_ticks
from scheduler.schedules.missed_in_pause import (
    Part,
    Rest,
    has_ticks_left,
    parts_by_pause,
    rest_of,
    ticks_in,
    undecided_bounds,
)

GRACE = timedelta(minutes=2)
"""The age of a tick from which the watcher writes: Beat may be about to send a younger tick."""

_Verdict = tuple[RunState, str]
_PAUSED: _Verdict = (RunState.SKIPPED, "paused")
_DISABLED: _Verdict = (RunState.SKIPPED, "disabled")
_NO_BEAT: _Verdict = (RunState.MISSED, "scheduler_down")


class Outlook(NamedTuple):
    """The open spans of a schedule, and the time of the next look.

    The time is None where no more is to be written as long as nobody changes the schedule. There is
    one span; a pause that has ended by itself while no Beat led makes more.
    """

    spans: tuple[OpenSpan, ...] = ()
    next: datetime | None = None


def outlook(entry: StoredSchedule, now: datetime, *, beat_is_away: bool) -> Outlook:
    """Return the open spans of an entry at `now`.

    A schedule that is on and not paused has open spans only while no Beat leads; the next look is
    due when Beat is away.
    """
    schedule, last = entry.schedule, entry.meta.last_run_at
    rest = rest_of(schedule, now)
    when = codec.anchored(schedule.when, entry.meta)
    if last is None or not has_ticks_left(entry) or not has_computable_ticks(when):
        return Outlook()
    after, until = undecided_bounds(schedule, last, now - GRACE)
    spans = tuple(_spans(schedule, when, after, until))
    if rest == "awake" and not beat_is_away:
        # A pause has just ended by itself, and Beat is about to say so.
        return Outlook(tuple(span for span in spans if span.reason == _PAUSED[1]))
    newest = spans[-1].last if spans else last
    return Outlook(spans, _next_look(schedule.model_copy(update={"when": when}), newest, rest))


def _spans(schedule: Schedule, when: When, after: datetime, until: datetime) -> Iterator[OpenSpan]:
    """Yield the ticks in (after, until]: a span each for the time before, in and after a pause."""
    if after >= until:
        return
    parts = [Part(after, until, False)]
    if schedule.enabled:
        parts = parts_by_pause(schedule, after, until)
    for part in parts:
        found = ticks_in(when, part.after, part.until)
        if found is None:
            continue
        state, reason = _PAUSED if part.is_paused else _NO_BEAT
        if not schedule.enabled:
            state, reason = _DISABLED
        yield OpenSpan(
            uid=schedule.uid,
            schedule=schedule.name,
            job=schedule.job,
            revision=schedule.revision,
            state=state.value,
            reason=reason,
            first=found[0],
            last=found[1],
            ticks=found[2],
        )


def _next_look(schedule: Schedule, newest: datetime, rest: Rest) -> datetime | None:
    """When the tick after `newest` is old enough, or the pause has ended by itself."""
    coming = bounded_next_tick(schedule, newest)
    if coming is None:
        return None
    pause = schedule.paused
    if rest == "paused" and pause is not None and pause.until is not None:
        return min(coming, pause.until) + GRACE
    return coming + GRACE
