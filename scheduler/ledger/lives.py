"""The life of a schedule by its revisions: the definition in force at each time, awake or at rest.

    created ──▶ awake ──paused──▶ paused ──its end──▶ awake ──switched off──▶ disabled ──▶ deleted

A revision is in force from its change on; a tick at the very moment of a change belongs to the
revision before. A pause that ends by itself divides the time of its revision. Pure.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from scheduler.rules.model.spec import Schedule
from scheduler.schedules.missed_in_pause import Rest, rest_of

_MICROSECOND = timedelta(microseconds=1)


class Change(NamedTuple):
    """A revision in the history: the moment, the kind of change, and the schedule from then on."""

    at: datetime
    is_deletion: bool
    schedule: Schedule


class Stretch(NamedTuple):
    """A time (after, until] with a single definition and a single state.

    `rest` tells whether operators let the schedule fire during the time: awake, paused or disabled.
    """

    after: datetime
    until: datetime
    schedule: Schedule
    rest: Rest


def is_deleted(changes: Sequence[Change]) -> bool:
    """Whether the schedule is gone after the last change."""
    return bool(changes) and changes[-1].is_deletion


def stretches(changes: Sequence[Change], after: datetime, until: datetime) -> list[Stretch]:
    """The stretches of a schedule's life within (after, until], in order.

    `changes` are in order; the time before the first, and after a deletion, has none.
    """
    found: list[Stretch] = []
    ends = [*(change.at for change in changes[1:]), until]
    for change, following in zip(changes, ends, strict=True):
        begin = max(change.at, after)
        end = min(following, until)
        if not change.is_deletion and begin < end:
            found += _by_rest(change.schedule, begin, end)
    return found


def _by_rest(schedule: Schedule, after: datetime, until: datetime) -> list[Stretch]:
    """(after, until] divided where a pause begins or ends by itself."""
    pause = schedule.paused
    cuts = []
    if pause is not None and schedule.enabled:
        moments = [pause.since] if pause.until is None else [pause.since, pause.until]
        cuts = [moment - _MICROSECOND for moment in moments]
    bounds = [after, *(cut for cut in cuts if after < cut < until), until]
    return [
        Stretch(begin, end, schedule, rest_of(schedule, end)) for begin, end in pairwise(bounds)
    ]
