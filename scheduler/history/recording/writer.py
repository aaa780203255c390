"""Events into tables: the rows of a batch are loaded, folded and written in one transaction.

Several recorders may fold events of a run at the same moment, and no event may be lost:

* SQLite: the transaction takes the write lock at the beginning.
* PostgreSQL: the rows of runs are locked, in the order of the ids, before anything else is read;
  details and attempts are read afterwards and belong to a locked run. A run new to two recorders
  is inserted by one; the other waits, finds the run inserted already, and repeats the whole batch,
  which is harmless because the fold is idempotent. After a deadlock between two inserts the batch
  is repeated too.

The projector decides the content of the rows; this module only reads and writes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import OperationalError

from scheduler.errors import Unavailable
from scheduler.events.schema import Event
from scheduler.history import models
from scheduler.history.engine import writing
from scheduler.history.identity import Identity, advance
from scheduler.history.open_file import note_log, refuse_unsafe_commit
from scheduler.history.recording import (
    access_log,
    calendar_revisions,
    dead_letter_changes,
    open_spans,
    surroundings,
    trees,
)
from scheduler.history.recording.inserts import insert_into
from scheduler.history.recording.projector import fold
from scheduler.history.recording.rollup import mark_due
from scheduler.history.recording.rows import (
    AttemptRow,
    LogRow,
    ReportRow,
    RevisionRow,
    Rows,
    RunRow,
    runs_of,
)
from scheduler.history.recording.table_io import NotNewError, TableIO

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
_PLACE = ("job", "schedule", "schedule_uid", "parent", "queue", "trigger", "first_at")
"""The columns that place a run in lists: each has an index, and seldom changes."""

_REVISION = tuple(field.name for field in fields(RevisionRow))
_REPORT = tuple(field.name for field in fields(ReportRow))

_large = attrgetter(*_LARGE)
_place = attrgetter(*_PLACE)

_RUN_IO = TableIO(_RUNS, _SMALL, ["id"])
_PROGRESS_IO = TableIO(_RUNS, [name for name in _SMALL if name not in _PLACE], ["id"])
_DETAIL_IO = TableIO(_DETAILS, ("run_id", *_LARGE), ["run_id"])
_ATTEMPT_IO = TableIO(_ATTEMPTS, [field.name for field in fields(AttemptRow)], ["run_id", "number"])
_LOG_IO = TableIO(_LOGS, [field.name for field in fields(LogRow)], ["id"])


class _Detail(NamedTuple):
    """The columns of `run_details`."""

    run_id: str
    args: Any
    kwargs: Any
    result: Any
    error: str | None
    traceback: str | None


class _ContendedError(Exception):
    """Another recorder has inserted a run new to the transaction."""


def write_events(
    engine: Engine,
    events: Sequence[Event],
    *,
    remembered: Identity | None = None,
    now: datetime | None = None,
) -> Identity:
    """Fold events into the tables: all events, or none.

    Returns the history's identity after the batch. Raises Unavailable where the database is not the
    history that Redis has `remembered`, or where other recorders keep writing the same runs, and
    SQLAlchemy's errors.
    """
    for number in range(_TRIES):
        try:
            with writing(engine).connect() as connection:
                with connection.begin():
                    fold_into(connection, events, expects_new=number == 0)
                    identity = advance(connection, now, remembered)
                    note_log(connection)
                refuse_unsafe_commit(connection)
                return identity
        except (_ContendedError, NotNewError):
            continue
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _DEADLOCK:
                raise
    raise Unavailable(
        "other recorders write the same runs all the time; the events wait and are tried again"
    )


def fold_into(
    connection: Connection, events: Sequence[Event], *, expects_new: bool = False
) -> None:
    """Fold events into the tables inside the transaction of `connection`, ended by the caller.

    A single try: where another recorder inserts the same new run, an exception leaves the
    transaction to be undone. `expects_new` writes the rows of new runs the quickest way; there must
    be no leftover row of such a run.
    """
    loaded = _load(connection, runs_of(events))
    folded = fold(loaded, events)
    _write_new(connection, loaded, folded, expects_new=expects_new)
    _write_changed(connection, loaded, folded)
    judged = trees.roll_up(connection, folded.runs.values())
    open_spans.remove(connection, open_spans.closed_by(events))
    mark_due(connection, loaded, folded, judged)
    _write_audit(connection, folded)
    calendar_revisions.write(connection, events)
    dead_letter_changes.write(connection, events)
    surroundings.write(connection, events)
    access_log.write(connection, events)


def _load(connection: Connection, runs: list[str]) -> Rows:
    """Return the stored rows of the runs; locked, where the database has row locks."""
    if not runs:
        return Rows()
    found = (RunRow(*values) for values in _RUN_IO.read(connection, "id", runs, locked=True))
    rows = Rows({row.id: row for row in found})
    if not rows.runs:
        return rows
    stored = list(rows.runs)
    for run, *large in _DETAIL_IO.read(connection, "run_id", stored):
        row = rows.runs[run]
        row.args, row.kwargs, row.result, row.error, row.traceback = large
    for values in _ATTEMPT_IO.read(connection, "run_id", stored):
        attempt = AttemptRow(*values)
        rows.attempts[attempt.run_id, attempt.number] = attempt
    return rows


def _write_new(connection: Connection, loaded: Rows, folded: Rows, *, expects_new: bool) -> None:
    """Insert new runs in the order of lists, by the first event of each run."""
    new = [row for row in folded.runs.values() if row.id not in loaded.runs]
    new.sort(key=lambda row: (row.first_at, row.id))
    details = [_Detail(row.id, *_large(row)) for row in new]
    attempts = [row for key, row in folded.attempts.items() if key[0] not in loaded.runs]
    if expects_new:
        _RUN_IO.insert_new(connection, new)
        _DETAIL_IO.insert_new(connection, details)
        _ATTEMPT_IO.insert_new(connection, attempts)
        return
    if _RUN_IO.insert(connection, new) != len(new):
        raise _ContendedError
    _DETAIL_IO.upsert(connection, details)
    _ATTEMPT_IO.upsert(connection, attempts)


def _write_changed(connection: Connection, loaded: Rows, folded: Rows) -> None:
    """Update the changed rows of runs recorded before."""
    changed = [row for run, row in folded.runs.items() if row != loaded.runs.get(run, row)]
    moved = [row for row in changed if _place(row) != _place(loaded.runs[row.id])]
    moved_ids = {row.id for row in moved}
    _RUN_IO.update(connection, moved)
    _PROGRESS_IO.update(connection, [row for row in changed if row.id not in moved_ids])
    details = [row for row in changed if _large(row) != _large(loaded.runs[row.id])]
    _DETAIL_IO.upsert(connection, [_Detail(row.id, *_large(row)) for row in details])
    attempts = [
        row
        for key, row in folded.attempts.items()
        if key[0] in loaded.runs and row != loaded.attempts.get(key)
    ]
    _ATTEMPT_IO.upsert(connection, attempts)


def _write_audit(connection: Connection, folded: Rows) -> None:
    """Insert revisions and log lines, which never change, and reports.

    Of two events about a report, the lower stamp wins.
    """
    if folded.revisions:
        insert = insert_into(connection, _REVISIONS).on_conflict_do_nothing(index_elements=["id"])
        rows = sorted(folded.revisions.values(), key=lambda row: (row.at, row.revision, row.id))
        connection.execute(insert, [_values(row, _REVISION) for row in rows])
    if folded.logs:
        log_rows = sorted(
            folded.logs.values(), key=lambda row: (row.at, row.attempt, row.first, row.id)
        )
        _LOG_IO.insert(connection, log_rows)
    if folded.reports:
        insert = insert_into(connection, _REPORTS)
        upsert = insert.on_conflict_do_update(
            index_elements=["id"],
            set_={name: insert.excluded[name] for name in _REPORT},
            where=insert.excluded.stamp < _REPORTS.c.stamp,
        )
        report_rows = sorted(folded.reports.values(), key=lambda row: (row.created_at, row.id))
        connection.execute(upsert, [_values(row, _REPORT) for row in report_rows])


def _values(row: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
