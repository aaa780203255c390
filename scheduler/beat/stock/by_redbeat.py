"""Schedules computed by RedBeat alone: a foreign rrule, or a rounded interval."""

from datetime import datetime
from typing import Any

from redbeat.schedulers import RedBeatSchedulerEntry

from scheduler.beat.stock.entry import BeatEntry
from scheduler.dispatch.verdicts import Plan
from scheduler.redbeat.codec import Raw, StoredSchedule
from scheduler.schedules.changes import ASLEEP


def plan(entry: StoredSchedule, raw: Raw, app: Any, now: datetime) -> Plan:
    """Return RedBeat's decision on an entry as a plan.

    Raises the errors of RedBeat and Celery for an entry beyond their rules.
    """
    loaded = BeatEntry._load(entry, raw, app)
    loaded.schedule.nowfun = lambda: now
    due, wait = RedBeatSchedulerEntry.is_due(loaded)
    if not due:
        return Plan(score=ASLEEP if wait is None else now.timestamp() + wait)
    sent = now if entry.meta.last_run_at is not None else now.replace(microsecond=0)
    remaining = loaded.schedule.remaining_estimate(sent)
    return Plan(
        score=ASLEEP if remaining is None else (now + remaining).timestamp(), last=sent, send=sent
    )
