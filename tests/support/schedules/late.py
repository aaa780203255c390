"""Schedules that are due since a while."""

from datetime import datetime, timedelta
from typing import Any

from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Schedule, When
from scheduler.schedules.store import ScheduleStore
from tests.support.builders import a_spec, every

HOUR = timedelta(hours=1)


def full_second() -> datetime:
    return utc_now().replace(microsecond=0)


def due_since(
    store: ScheduleStore, when: When, created: datetime, name: str = "due", **parts: Any
) -> Schedule:
    """A schedule that was made in the past and has not been fired since."""
    return store.create(a_spec(name, when=when, **parts), edit=Edit(actor="ada", now=created))


LATE = timedelta(minutes=90)


def hourly(store: ScheduleStore, name: str = "due", **parts: object) -> Schedule:
    """A schedule that has been due for half an hour."""
    start = full_second() - LATE
    return due_since(store, every(3600, start), start, name, **parts)


def first_run(schedule: Schedule) -> str:
    return run_id(schedule.uid, schedule.when.anchor + HOUR)
