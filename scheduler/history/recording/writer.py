"""Events into tables: the rows of a batch are loaded, folded and written in one transaction.

Several recorders may fold events of one run at the same moment, and no event may be lost:

* SQLite: the transaction takes the write lock when it begins.
* PostgreSQL: the rows of runs are locked, in the order of their ids, before anything else is read;
  details and attempts are read afterwards and belong to a locked run. A run that is new to two
  recorders is inserted by one; the other waits, sees that its insert did nothing, and repeats the
  whole batch, which is harmless because the fold is idempotent. A deadlock between two such inserts
  is repeated too.

The projector decides the content of the rows; this module only reads and writes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Engine, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError

from scheduler.errors import Unavailable
from scheduler.events.schema import Event
from scheduler.history import models
from scheduler.history.engine import writing
from scheduler.history.identity import Identity, advance
from scheduler.history.open_file import note_log, refuse_unsafe_commit
from scheduler.history.recording import calendar_revisions, dead_letter_changes
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rows import (
    AttemptRow,
    LogRow,
    ReportRow,
    RevisionRow,
    Rows,
    RunRow,
    runs_of,
)

_TRIES = 10
_DEADLOCK = "40P01"

_RUNS = cast("Table", models.Run.__table__)
_DETAILS = cast("Table", models.RunDetail.__table__)
_ATTEMPTS = cast("Table", models.Attempt.__table__)
_REVISIONS = cast("Table", models.Revision.__table__)
_LOGS = cast("Table", models.RunLog.__table__)
_REPORTS = cast("Table", models.Report.__table__)

_LARGE = ("args", "kwargs", "result", "error", "traceback")
_SMALL = tuple(field.name for field in fields(RunRow) if field.name not in _LARGE)
_ATTEMPT = tuple(field.name for field in fields(AttemptRow))
_REVISION = tuple(field.name for field in fields(RevisionRow))
_LOG = tuple(field.name for field in fields(LogRow))
_REPORT = tuple(field.name for field in fields(ReportRow))


class _ContendedError(Exception):
    """Another recorder has inserted a run that was new to this transaction."""


def write_events(
    engine: Engine,
    events: Sequence[Event],
    *,
    remembered: Identity | None = None,
    now: datetime | None = None,
) -> Identity:
    """Fold events into the tables: all of them, or none. Returns the history's identity after the
    batch.

    Raises Unavailable where the database is not the history that Redis has `remembered`, or where
    other recorders keep writing the same runs, and SQLAlchemy's errors.
    """
    for _ in range(_TRIES):
        try:
            with writing(engine).connect() as connection:
                with connection.begin():
                    fold_into(connection, events)
                    identity = advance(connection, now, remembered)
                    note_log(connection)
                refuse_unsafe_commit(connection)
                return identity
        except _ContendedError:
            continue
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _DEADLOCK:
                raise
    raise Unavailable(
        "other recorders write the same runs all the time; the events wait and are tried again"
    )


def fold_into(connection: Connection, events: Sequence[Event]) -> None:
    """Fold events into the tables inside the transaction of `connection`, which the caller ends.

    One try: where another recorder inserts the same new run, an exception leaves the transaction to
    be undone.
    """
    loaded = _load(connection, runs_of(events))
    folded = fold(loaded, events)
    _write_runs(connection, loaded, folded)
    _write_attempts(connection, loaded, folded)
    _write_audit(connection, folded)
    calendar_revisions.write(connection, events)
    dead_letter_changes.write(connection, events)


def _load(connection: Connection, runs: list[str]) -> Rows:
    """The rows of these runs as stored; statement, where the database has row locks."""
    if not runs:
        return Rows()
    statement = (
        select(*_columns(_RUNS, _SMALL))
        .where(_RUNS.c.id.in_(runs))
        .order_by(_RUNS.c.id)
        .with_for_update()
    )
    rows = Rows({row.id: RunRow(**row._mapping) for row in connection.execute(statement)})
    if not rows.runs:
        return rows
    stored = list(rows.runs)
    details = select(_DETAILS.c.run_id, *_columns(_DETAILS, _LARGE)).where(
        _DETAILS.c.run_id.in_(stored)
    )
    for row in connection.execute(details):
        for name in _LARGE:
            setattr(rows.runs[row.run_id], name, getattr(row, name))
    attempts = select(*_columns(_ATTEMPTS, _ATTEMPT)).where(_ATTEMPTS.c.run_id.in_(stored))
    for row in connection.execute(attempts):
        rows.attempts[row.run_id, row.number] = AttemptRow(**row._mapping)
    return rows


def _write_runs(connection: Connection, loaded: Rows, folded: Rows) -> None:
    """Insert new runs in the order of their first events, which is the order of lists; update
    changed runs.
    """
    new = [row for row in folded.runs.values() if row.id not in loaded.runs]
    new.sort(key=lambda row: (row.first_at, row.id))
    if new:
        insert = _insert(connection, _RUNS).on_conflict_do_nothing(index_elements=["id"])
        counting = insert.execution_options(preserve_rowcount=True)
        inserted = connection.execute(counting, [_values(row, _SMALL) for row in new])
        if inserted.rowcount != len(new):
            raise _ContendedError
    changed = [
        row for row in folded.runs.values() if row.id in loaded.runs and row != loaded.runs[row.id]
    ]
    if changed:
        statement = (
            update(_RUNS)
            .where(_RUNS.c.id == bindparam("run"))
            .values({name: bindparam(name) for name in _SMALL[1:]})
        )
        connection.execute(
            statement, [{"run": row.id, **_values(row, _SMALL[1:])} for row in changed]
        )
    details = [
        {"run_id": row.id, **_values(row, _LARGE)}
        for row in [*new, *changed]
        if row.id not in loaded.runs or _values(row, _LARGE) != _values(loaded.runs[row.id], _LARGE)
    ]
    _upsert(connection, _DETAILS, ["run_id"], details)


def _write_attempts(connection: Connection, loaded: Rows, folded: Rows) -> None:
    changed = [row for key, row in folded.attempts.items() if row != loaded.attempts.get(key)]
    _upsert(
        connection, _ATTEMPTS, ["run_id", "number"], [_values(row, _ATTEMPT) for row in changed]
    )


def _write_audit(connection: Connection, folded: Rows) -> None:
    """Insert revisions and log lines, which never change. Of two events about one report, the lower
    stamp wins.
    """
    if folded.revisions:
        insert = _insert(connection, _REVISIONS).on_conflict_do_nothing(index_elements=["id"])
        rows = sorted(folded.revisions.values(), key=lambda row: (row.at, row.revision, row.id))
        connection.execute(insert, [_values(row, _REVISION) for row in rows])
    if folded.logs:
        insert = _insert(connection, _LOGS).on_conflict_do_nothing(index_elements=["id"])
        log_rows = sorted(
            folded.logs.values(), key=lambda row: (row.at, row.attempt, row.first, row.id)
        )
        connection.execute(insert, [_values(row, _LOG) for row in log_rows])
    if folded.reports:
        insert = _insert(connection, _REPORTS)
        upsert = insert.on_conflict_do_update(
            index_elements=["id"],
            set_={name: insert.excluded[name] for name in _REPORT},
            where=insert.excluded.stamp < _REPORTS.c.stamp,
        )
        report_rows = sorted(folded.reports.values(), key=lambda row: (row.created_at, row.id))
        connection.execute(upsert, [_values(row, _REPORT) for row in report_rows])


def _upsert(
    connection: Connection, table: Table, keys: list[str], rows: list[dict[str, Any]]
) -> None:
    """Insert or update rows of runs that this transaction has locked."""
    if not rows:
        return
    insert = _insert(connection, table)
    values = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    statement = insert.on_conflict_do_update(index_elements=keys, set_=values)
    connection.execute(statement, rows)


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _columns(table: Table, names: Iterable[str]) -> list[Any]:
    return [table.c[name] for name in names]


def _values(row: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
