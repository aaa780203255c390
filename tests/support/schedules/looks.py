"""One look of Beat at an hourly entry, as plain data."""

from datetime import datetime, timedelta
from typing import Any

from scheduler.dispatch.plan import plan
from scheduler.dispatch.verdicts import Plan
from scheduler.redbeat.codec import Meta, StoredSchedule
from scheduler.redbeat.waiting import Trigger, WaitingTick
from scheduler.rules.calendars.exclusions import Calendar
from scheduler.rules.model.spec import Policies, Window
from tests.support.builders import NOON, a_schedule, every

HOUR = timedelta(hours=1)


SECOND = timedelta(seconds=1)


def hour(number: float) -> datetime:
    return NOON + number * HOUR


def an_entry(last: float | None = -1, count: int = 0, **parts: Any) -> StoredSchedule:
    """An hourly schedule, last sent at that hour."""
    policies, window = Policies(**parts.pop("policies", {})), Window(**parts.pop("window", {}))
    schedule = a_schedule(when=every(3600, hour(-1000)), policies=policies, window=window, **parts)
    return StoredSchedule(schedule, Meta(None if last is None else hour(last), count))


def look(
    entry: StoredSchedule,
    now: datetime = NOON,
    alive: int = 0,
    waiting: tuple[float | WaitingTick, ...] = (),
    calendar: Calendar | None = None,
) -> Plan:
    waiting_ticks = [
        one if isinstance(one, WaitingTick) else WaitingTick(hour(one)) for one in waiting
    ]
    return plan(entry, now, alive, waiting_ticks, calendar)


def asked(number: float, trigger: Trigger = "backfill") -> WaitingTick:
    """A tick that ada wants to be run."""
    return WaitingTick(hour(number), trigger, "ada")


def dropped(made: Plan) -> list[datetime]:
    return [waiting_tick.tick for waiting_tick in made.drop]


def ruled(made: Plan) -> list[tuple[str, str, int]]:
    return [(ruling.state, ruling.reason, ruling.count) for ruling in made.verdicts]
