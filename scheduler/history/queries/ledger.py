"""Rows of the history, for comparison with the ticks of schedules by the watcher. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine, func, select

from scheduler.history.models import OPEN, Revision, Run
from scheduler.history.queries.views import RevisionView
from scheduler.history.recorded_runs import recorded

_REVISION = [getattr(Revision, name) for name in RevisionView.model_fields]


class TickRow(NamedTuple):
    """The ticks of a row from `first` to `last`, `ticks` in number."""

    uid: str
    first: datetime
    last: datetime
    ticks: int


class LedgerRows:
    """The rows of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def key_before(self, moment: datetime) -> int:
        """Return a key below the keys of all rows first recorded since `moment`."""
        later = select(func.min(Run.key)).where(Run.first_at >= moment)
        with self._engine.connect() as connection:
            key = connection.execute(later).scalar()
            if key is None:
                key = (connection.execute(select(func.max(Run.key))).scalar() or 0) + 1
        return key - 1

    def since(self, key: int, limit: int) -> tuple[int, list[TickRow]]:
        """Return rows of ticks with a key above `key`, at most `limit`, and the greatest key read.

        Open spans are left out: nobody has dealt with the ticks of a span.
        """
        statement = (
            select(Run.key, Run.schedule_uid, Run.tick, Run.tick_to, Run.ticks, Run.state_stamp)
            .where(Run.key > key)
            .order_by(Run.key)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            found = connection.execute(statement).all()
        rows = [
            TickRow(row.schedule_uid, row.tick, row.tick_to or row.tick, row.ticks)
            for row in found
            if row.tick is not None and row.schedule_uid and row.state_stamp != OPEN
        ]
        return (found[-1].key if found else key), rows

    def of(self, uid: str, limit: int) -> list[TickRow]:
        """Return the newest rows of a schedule's ticks, at most `limit`, without the open span."""
        statement = (
            select(Run.tick, Run.tick_to, Run.ticks)
            .where(Run.schedule_uid == uid, Run.tick.is_not(None), Run.state_stamp != OPEN)
            .order_by(Run.key.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [
                TickRow(uid, row.tick, row.tick_to or row.tick, row.ticks)
                for row in connection.execute(statement)
            ]

    def recorded(self, run_ids: Sequence[str]) -> set[str]:
        """Return the ids of recorded runs among the given ids."""
        with self._engine.connect() as connection:
            return recorded(connection, run_ids)

    def revisions(self, uid: str, limit: int = 1000) -> list[RevisionView]:
        """The newest revisions of a schedule, oldest first."""
        statement = (
            select(*_REVISION)
            .where(Revision.schedule_uid == uid)
            .order_by(Revision.key.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()
        return [RevisionView(**row._mapping) for row in reversed(rows)]
