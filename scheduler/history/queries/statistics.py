"""Statistics of schedules by day, and the newest results. Reads only.

The recorder rolls the statistics up (`recording.rollup`): they lag behind the runs by a second or
two, and outlive deleted runs.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Engine, select

from scheduler.history.connecting import is_storable
from scheduler.history.models import ScheduleDay, ScheduleResults
from scheduler.rules.model.spec import Frozen

_DAY = [
    getattr(ScheduleDay, name)
    for name in (
        "schedule_uid",
        "day",
        "succeeded",
        "failed",
        "missed",
        "skipped",
        "other",
        "on_time",
        "late",
        "median",
        "p95",
    )
]


class DayStatistics(Frozen):
    """The ticks of a schedule on a day in UTC; `median` and `p95` in seconds, over successful runs.

    `other` are ticks that are not final, or cancelled; `on_time` and `late` count started runs.
    """

    schedule_uid: str
    day: date
    succeeded: int
    failed: int
    missed: int
    skipped: int
    other: int
    on_time: int
    late: int
    median: float | None
    p95: float | None


class Shares(Frozen):
    """Shares of ticks, from 0 to 1; None without such ticks.

    `on_time`: of the ticks that started or were missed. `success`: of the runs that ended.
    """

    on_time: float | None
    success: float | None


class Result(NamedTuple):
    """A run in short; `at` in seconds since 1970, `duration` and `lateness` in seconds."""

    id: str
    state: str
    at: float
    duration: float | None
    lateness: float | None
    ticks: int


class Statistics:
    """The statistics in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def days(self, uids: Sequence[str], since: date, until: date) -> dict[str, list[DayStatistics]]:
        """The days of each schedule from `since` to `until`, oldest first, by uid."""
        wanted = select(*_DAY).where(
            ScheduleDay.schedule_uid.in_([uid for uid in uids if is_storable(uid)]),
            ScheduleDay.day.between(since, until),
        )
        days: dict[str, list[DayStatistics]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(wanted.order_by(ScheduleDay.day)):
                days.setdefault(row.schedule_uid, []).append(
                    DayStatistics.model_construct(**row._mapping)
                )
        return days

    def results(self, uids: Sequence[str]) -> dict[str, list[Result]]:
        """The newest results of each schedule, at most 60, newest first, by uid."""
        wanted = select(ScheduleResults.schedule_uid, ScheduleResults.results).where(
            ScheduleResults.schedule_uid.in_([uid for uid in uids if is_storable(uid)])
        )
        with self._engine.connect() as connection:
            return {
                row.schedule_uid: [Result(*one) for one in row.results]
                for row in connection.execute(wanted)
            }


def shares(days: Sequence[DayStatistics]) -> Shares:
    """Return the shares over all given days."""
    on_time = sum(day.on_time for day in days)
    due = on_time + sum(day.late + day.missed for day in days)
    succeeded = sum(day.succeeded for day in days)
    ended = succeeded + sum(day.failed for day in days)
    return Shares(
        on_time=on_time / due if due else None, success=succeeded / ended if ended else None
    )
