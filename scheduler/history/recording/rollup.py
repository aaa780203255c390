"""Statistics of schedules by day, rolled up from the rows of runs, and the newest results.

The recorder marks each (schedule, day) with changed rows, in the transaction of the change
(`mark_due`). A roll-up computes the day anew from the rows, so that order and repetition of events
do not matter, and removes the mark in the transaction that writes the result; a mark renewed
meanwhile stays, and the result of the roll-up is thrown away. A day that takes long to compute is
computed less often: roll-ups take at most 2 % of the time.

The day of a run is the UTC day of the first event, as in reports (`queries.outcomes`).
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from secrets import randbits
from time import monotonic
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Engine, Select, Table, delete, func, select

from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.history import models, outage
from scheduler.history.days import DayStatistics
from scheduler.history.engine import writing
from scheduler.history.models import RollupDue, Run, ScheduleDay
from scheduler.history.outcome_kinds import KINDS, ticks_of
from scheduler.history.recording.rows import Rows, RunRow
from scheduler.history.recording.table_io import TableIO
from scheduler.history.recording.trees import Judged
from scheduler.history.tick_counts import verdict
from scheduler.rules.model.run_states import RunState

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two passes."""

ON_TIME_SECONDS = 60.0
"""Seconds after the due time up to which a run starts on time."""

RESULTS = 60
"""Newest runs of a schedule in `schedule_results`."""

AT_ONCE = 200
"""Most days rolled up in a pass."""

_SHARE = 50
"""Seconds of rest for each second that a day took, before the day is computed again."""

_FINISHED = timedelta(days=2)
"""Age from which rows of a day only disappear by retention; the day's counts never shrink then."""

_DUE_IO = TableIO(
    cast("Table", RollupDue.__table__), ("schedule_uid", "day", "mark"), ("schedule_uid", "day")
)
_DAY_IO = TableIO(
    cast("Table", ScheduleDay.__table__),
    tuple(DayStatistics.model_fields),
    ("schedule_uid", "day"),
)
_RESULTS_IO = TableIO(
    cast("Table", models.ScheduleResults.__table__), ("schedule_uid", "results"), ("schedule_uid",)
)


class Due(NamedTuple):
    """A day of a schedule to roll up."""

    schedule_uid: str
    day: date
    mark: int


class Results(NamedTuple):
    """The newest runs of a schedule."""

    schedule_uid: str
    results: list[list[Any]]


def mark_due(
    connection: Connection, loaded: Rows, folded: Rows, judged: Iterable[Judged] = ()
) -> None:
    """Mark the days of all runs that have changed, before and after the change, and of the `judged`
    ones, which are workflows with a new verdict.
    """
    days: set[tuple[str, date]] = set()
    for workflow in judged:
        days.update(_days_of(workflow))
    for run, row in folded.runs.items():
        before = loaded.runs.get(run)
        if row != before:
            days.update(_days_of(row))
            days.update(_days_of(before) if before is not None else ())
    mark = randbits(62)
    _DUE_IO.upsert(connection, [Due(uid, day, mark) for uid, day in sorted(days)])


def _days_of(row: RunRow | Judged) -> list[tuple[str, date]]:
    if row.schedule_uid is None or row.first_at is None:
        return []
    return [(row.schedule_uid, row.first_at.astimezone(UTC).date())]


class Rollup:
    """The roll-up of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._not_before: dict[tuple[str, date], float] = {}

    def run(self, stop: threading.Event) -> None:
        """Roll up until `stop` is set. Survives outages of SQL."""
        while not stop.wait(EVERY):
            try:
                with outage.answering():
                    self.run_once(utc_now())
            except Unavailable as error:
                log.debug("statistics wait: %s", error)
            except Exception:
                log.exception("statistics could not be rolled up; tried again")

    def run_once(self, now: datetime) -> int:
        """Roll up the due days. Returns the number of rolled-up days."""
        due = self._due()
        if not due:
            return 0
        rows: list[DayStatistics] = []
        results: list[Results] = []
        with self._engine.connect() as connection:
            for uid, days in groupby(due, lambda one: one.schedule_uid):
                results.append(Results(uid, _newest(connection, uid)))
                rows += [self._timed(connection, uid, one.day) for one in days]
        with writing(self._engine).begin() as connection:
            unchanged = _take_marks(connection, due)
            kept = _not_shrunk(connection, unchanged, rows, now)
            _DAY_IO.upsert(connection, kept)
            uids = {one.schedule_uid for one in unchanged}
            _RESULTS_IO.upsert(connection, [one for one in results if one.schedule_uid in uids])
        return len(kept)

    def _due(self) -> list[Due]:
        """Return the days due now, by schedule."""
        marks = select(RollupDue.schedule_uid, RollupDue.day, RollupDue.mark)
        with self._engine.connect() as connection:
            found = connection.execute(marks.limit(10 * AT_ONCE)).all()
        clock = monotonic()
        self._not_before = {key: at for key, at in self._not_before.items() if at > clock}
        due = [Due(*row) for row in found if (row[0], row[1]) not in self._not_before]
        return sorted(due[:AT_ONCE])

    def _timed(self, connection: Connection, uid: str, day: date) -> DayStatistics:
        began = monotonic()
        row = day_row(connection, uid, day)
        took = monotonic() - began
        self._not_before[uid, day] = began + max(EVERY, took * _SHARE)
        return row


def day_row(connection: Connection, uid: str, day: date) -> DayStatistics:
    """Return the statistics of a schedule's day, from the rows of the runs."""
    since = datetime(day.year, day.month, day.day, tzinfo=UTC)
    mine = (
        Run.schedule_uid == uid,
        Run.first_at >= since,
        Run.first_at < since + timedelta(days=1),
    )
    columns: list[Any] = [
        *[ticks_of(kind).label(kind) for kind in KINDS],
        func.count().filter(Run.lateness <= ON_TIME_SECONDS).label("on_time"),
        func.count().filter(Run.lateness > ON_TIME_SECONDS).label("late"),
    ]
    counts = connection.execute(select(*columns).where(*mine)).one()
    durations = connection.execute(
        select(Run.duration)
        .where(*mine, Run.state == RunState.SUCCEEDED.value, Run.duration.is_not(None))
        .order_by(Run.duration)
    )
    values = [duration for duration in durations.scalars() if duration is not None]
    return DayStatistics(
        schedule_uid=uid,
        day=day,
        median=percentile(values, 0.5),
        p95=percentile(values, 0.95),
        **counts._mapping,
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value below which `share` of the sorted values lie; None without values.

    Between two values the result is interpolated.
    """
    if not values:
        return None
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (values[above] - values[below]) * (place - below)


def _newest(connection: Connection, uid: str) -> list[list[Any]]:
    """The newest runs in the order of `queries.statistics.Result`."""
    rows = connection.execute(_newest_runs(uid))
    return [
        [row.id, row.state, row.at.timestamp(), row.duration, row.lateness, row.ticks]
        for row in rows
    ]


def _newest_runs(uid: str) -> Select[Any]:
    at = func.coalesce(Run.started_at, Run.queued_at, Run.tick, Run.first_at).label("at")
    state = verdict().label("state")
    columns: list[Any] = [Run.id, state, at, Run.duration, Run.lateness, Run.ticks]
    newest = select(*columns).where(Run.schedule_uid == uid)
    return newest.order_by(Run.key.desc()).limit(RESULTS)


def _take_marks(connection: Connection, due: Iterable[Due]) -> list[Due]:
    """Delete the marks unchanged since the read. Returns the deleted marks."""
    taken: list[Due] = []
    for one in due:
        mark = delete(RollupDue).where(
            RollupDue.schedule_uid == one.schedule_uid,
            RollupDue.day == one.day,
            RollupDue.mark == one.mark,
        )
        if connection.execute(mark).rowcount:
            taken.append(one)
    return taken


def _not_shrunk(
    connection: Connection, taken: Sequence[Due], rows: Iterable[DayStatistics], now: datetime
) -> list[DayStatistics]:
    """Return the rows of the taken marks, without days whose runs retention has deleted."""
    wanted = {(one.schedule_uid, one.day) for one in taken}
    mine = [row for row in rows if (row.schedule_uid, row.day) in wanted]
    old = [row for row in mine if row.day < (now - _FINISHED).date()]
    if not old:
        return mine
    uids = sorted({row.schedule_uid for row in old})
    stored: dict[tuple[str, date], int] = {}
    for values in _DAY_IO.read(connection, "schedule_uid", uids):
        day = DayStatistics(**dict(zip(_DAY_IO.columns, values, strict=True)))
        stored[day.schedule_uid, day.day] = day.ticks
    return [
        row
        for row in mine
        if row not in old or row.ticks >= stored.get((row.schedule_uid, row.day), 0)
    ]
