"""Statistics of schedules by day, and the newest results. Reads only.

The recorder rolls the statistics up (`recording.rollup`): they lag behind the runs by a second or
two, and outlive deleted runs.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, Engine, select

from scheduler.history.connecting import is_storable
from scheduler.history.days import DayStatistics
from scheduler.history.models import RollupDue, ScheduleDay, ScheduleResults

_DAY = [getattr(ScheduleDay, name) for name in DayStatistics.model_fields]


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

    def fresh_results(self, uids: Sequence[str]) -> dict[str, list[Result]]:
        """The newest results of each schedule, as `results`, without the schedules of which a run
        has changed since they were gathered, and those of which none are gathered.

        They are as the runs are now, but for runs that retention has deleted.
        """
        changed = select(RollupDue.day).where(
            RollupDue.schedule_uid == ScheduleResults.schedule_uid
        )
        return self._results(uids, ~changed.exists())

    def results(self, uids: Sequence[str]) -> dict[str, list[Result]]:
        """The newest results of each schedule, at most 60, newest first, by uid."""
        return self._results(uids)

    def _results(
        self, uids: Sequence[str], *conditions: ColumnElement[bool]
    ) -> dict[str, list[Result]]:
        wanted = select(ScheduleResults.schedule_uid, ScheduleResults.results).where(
            ScheduleResults.schedule_uid.in_([uid for uid in uids if is_storable(uid)]), *conditions
        )
        with self._engine.connect() as connection:
            return {
                row.schedule_uid: [Result(*one) for one in row.results]
                for row in connection.execute(wanted)
            }
