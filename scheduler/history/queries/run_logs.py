"""The log lines of a run. Reads only; answers with the views of `queries.views`."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, Row, select

from scheduler.errors import Refused
from scheduler.history.models import RunLog
from scheduler.history.queries.cursor import cursor, key_of
from scheduler.history.queries.views import LogPage, LogView

MOST_EVENTS = 5_000
_COLUMNS = [RunLog.key, RunLog.attempt, RunLog.first, RunLog.left_out, RunLog.at, RunLog.lines]


def log_of(
    engine: Engine, run: str, *, after: str | None = None, limit: int = 50, newest: bool = False
) -> LogPage:
    """The lines of a run in the order of recording, from `limit` events (of up to 100 lines each).

    `next` is the following page, if there is one now; `last` is the place from which later lines
    can be read. `newest` takes the last `limit` events instead of the first. Raises Refused for a
    limit outside 1 to 5,000 and for a text that is not a cursor.
    """
    if not 1 <= limit <= MOST_EVENTS:
        raise Refused(f"limit: {limit} is not from 1 to {MOST_EVENTS}", field="limit")
    statement = select(*_COLUMNS).where(RunLog.run_id == run)
    before = key_of(after)
    if before is not None:
        statement = statement.where(RunLog.key > before)
    statement = statement.order_by(RunLog.key.desc() if newest else RunLog.key).limit(limit + 1)
    with engine.connect() as connection:
        rows = list(connection.execute(statement)) if run.isprintable() else []
    more = len(rows) > limit
    rows = rows[:limit]
    rows = rows[::-1] if newest else rows
    items = [line for row in rows for line in _lines(row)]
    last = cursor(rows[-1].key) if rows else after
    return LogPage(
        items=items, next=last if more and not newest else None, last=last, cut=more and newest
    )


def _lines(row: Row[Any]) -> Iterator[LogView]:
    """Yield the lines of a row; omitted lines are summed up in a separate line."""
    if row.left_out:
        words = f"… {row.left_out} lines were left out here …"
        yield LogView(
            at=row.at,
            attempt=row.attempt,
            number=row.first - row.left_out,
            text=words,
            left_out=row.left_out,
        )
    for number, line in enumerate(row.lines, row.first):
        yield LogView(attempt=row.attempt, number=number, **line)
