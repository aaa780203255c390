"""What is in the tables, as the rows that the fold speaks of, so that both can be compared."""

from dataclasses import fields
from typing import Any

from sqlalchemy import Engine, select

from scheduler.history.models import Attempt, Report, Revision, Run, RunDetail, RunLog
from scheduler.history.recording.rows import (
    AttemptRow,
    LogRow,
    ReportRow,
    RevisionRow,
    Rows,
    RunRow,
)

LARGE = {"args", "kwargs", "result", "error", "traceback"}


def rows_in(engine: Engine) -> Rows:
    """All rows of the history."""
    small = [getattr(Run, name) for name in names(RunRow) if name not in LARGE]
    large = [getattr(RunDetail, name) for name in names(RunRow) if name in LARGE]
    runs = select(*small, *large).outerjoin_from(Run, RunDetail, RunDetail.run_id == Run.id)
    with engine.connect() as connection:
        return Rows(
            runs={row.id: RunRow(**row._mapping) for row in connection.execute(runs)},
            attempts={
                (row.run_id, row.number): AttemptRow(**row._mapping)
                for row in connection.execute(columns(Attempt, AttemptRow))
            },
            revisions={
                row.id: RevisionRow(**row._mapping)
                for row in connection.execute(columns(Revision, RevisionRow))
            },
            reports={
                row.id: ReportRow(**row._mapping)
                for row in connection.execute(columns(Report, ReportRow))
            },
            logs={
                row.id: LogRow(**row._mapping)
                for row in connection.execute(columns(RunLog, LogRow))
            },
        )


def states_in(engine: Engine) -> dict[str, str]:
    """The state of each run."""
    return {run: row.state for run, row in rows_in(engine).runs.items()}


def columns(model: Any, row: Any) -> Any:
    return select(*[getattr(model, name) for name in names(row)])


def names(row: Any) -> list[str]:
    return [field.name for field in fields(row)]
