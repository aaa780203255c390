"""Runs counted by outcome, for reports. Reads only; answers with plain data.

A run belongs to the time of the first event. A range of ticks that did not run counts once for each
tick. A run with a lost worker counts as failed; an expired run as missed.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Engine, Select, func, select

from scheduler.history.models import Revision, Run
from scheduler.history.outcome_kinds import KINDS, ticks_of
from scheduler.history.tick_counts import first_between
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import Frozen


class OutcomeLine(Frozen):
    """The runs of one schedule and job; times in seconds, `median` over successful runs."""

    schedule: str | None
    schedule_uid: str | None
    job: str
    succeeded: int
    failed: int
    missed: int
    skipped: int
    other: int
    late: int
    median: float | None
    longest: float | None
    mean_lateness: float | None
    most_lateness: float | None


class Outcomes:
    """Outcomes in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def lines(self, since: datetime, until: datetime, late_after: float) -> list[OutcomeLine]:
        """Return a line per schedule and job.

        `late` is the number of runs that started over `late_after` seconds after the tick.
        """
        medians = self.medians(since, until)
        counts = [ticks_of(kind).label(kind) for kind in KINDS]
        statement = (
            select(
                *_GROUP,
                *counts,
                func.count().filter(Run.lateness > late_after).label("late"),
                func.max(Run.duration).label("longest"),
                func.avg(Run.lateness).label("mean_lateness"),
                func.max(Run.lateness).label("most_lateness"),
            )
            .where(*first_between(since, until))
            .group_by(*_GROUP)
            .order_by(Run.job, Run.schedule, Run.schedule_uid)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()
        return [OutcomeLine(**row._mapping, median=medians.get(tuple(row[:3]))) for row in rows]

    def medians(self, since: datetime, until: datetime) -> dict[tuple[Any, ...], float]:
        """The median duration in seconds of successful runs, by (schedule, uid, job)."""
        with self._engine.connect() as connection:
            return {tuple(row[:3]): row[3] for row in connection.execute(_medians(since, until))}

    def parts(self, bounds: Sequence[datetime]) -> list[dict[str, int]]:
        """The number of ticks of each kind between each bound and the next."""
        counts = [ticks_of(kind).label(kind) for kind in KINDS]
        with self._engine.connect() as connection:
            return [
                dict(
                    connection.execute(select(*counts).where(*first_between(since, until)))
                    .one()
                    ._mapping
                )
                for since, until in pairwise(bounds)
            ]

    def tags(self) -> dict[str, list[str]]:
        """The tags of each schedule with tags, by uid, from the newest revision."""
        newest = select(func.max(Revision.key)).group_by(Revision.schedule_uid)
        statement = select(Revision.schedule_uid, Revision.definition["tags"]).where(
            Revision.key.in_(newest)
        )
        with self._engine.connect() as connection:
            return {uid: list(tags) for uid, tags in connection.execute(statement) if tags}


_GROUP = (Run.schedule, Run.schedule_uid, Run.job)


def _medians(since: datetime, until: datetime) -> Select[Any]:
    """Return the middle duration, or the mean of the two in the middle, in SQL.

    SQLite and PostgreSQL share no function for medians.
    """
    ranked = (
        select(
            *_GROUP,
            Run.duration,
            func.row_number().over(partition_by=_GROUP, order_by=Run.duration).label("place"),
            func.count().over(partition_by=_GROUP).label("of"),
        )
        .where(
            Run.first_at >= since,
            Run.first_at < until,
            Run.state == RunState.SUCCEEDED.value,
            Run.duration.is_not(None),
        )
        .subquery()
    )
    group = (ranked.c.schedule, ranked.c.schedule_uid, ranked.c.job)
    middle = (ranked.c.place * 2).between(ranked.c.of, ranked.c.of + 2)
    return select(*group, func.avg(ranked.c.duration)).where(middle).group_by(*group)
