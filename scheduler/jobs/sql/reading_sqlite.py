"""Read-only queries of SQLite, within a time limit.

The file is opened read only. An authorizer permits the parts of a SELECT and nothing else: no
ATTACH (other files), no PRAGMA. A progress handler ends a slow statement. Python's driver refuses a
second statement.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scheduler.jobs.sql import own_database
from scheduler.jobs.sql.caps import Batch, Budget, StatementFailed
from scheduler.jobs.sql.placeholders import names, refuse_unknown

ROWS_AT_ONCE = 20
"""Rows of one fetch: each may have values of `LONGEST_VALUE` bytes."""

STEPS_BETWEEN_LOOKS = 10_000
"""Instructions of SQLite's virtual machine between two looks at the clock: a few milliseconds."""

LONGEST_VALUE = 4_000_000
"""Most bytes of one value, also of one in between; SQLite's own limit is a gigabyte."""

BUSY_SECONDS = 5.0

_ALLOWED = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
_REFUSED_FUNCTIONS = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "randomblob"}
)


@contextmanager
def query(
    path: str, statement: str, values: Mapping[str, Any], budget: Budget
) -> Iterator[tuple[list[str], Iterator[Batch]]]:
    """Run a statement. Gives the columns, and the rows in batches. Raises StatementFailed with
    SQLite's reason.
    """
    wanted = names(statement)
    refuse_unknown(wanted, values)
    bound = {name: _plain(values[name]) for name in wanted}
    refused: list[str] = []
    try:
        with closing(_opened(path)) as connection:
            _refuse_own(connection)
            connection.set_authorizer(_authorizer(refused))
            connection.set_progress_handler(budget.is_over, STEPS_BETWEEN_LOOKS)
            cursor = connection.execute(statement, bound)
            if cursor.description is None:
                raise StatementFailed("the statement gives no rows; write a SELECT")
            yield [str(column[0]) for column in cursor.description], _batches(cursor)
    except (sqlite3.Error, sqlite3.Warning) as error:
        if budget.is_over():
            raise budget.late() from None
        why = f"{refused[0]} is not allowed in a report" if refused else str(error)
        raise StatementFailed(f"SQLite refuses the statement: {why}") from None


def _opened(path: str) -> sqlite3.Connection:
    if not Path(path).is_file():
        raise StatementFailed(f"there is no database {path}; see BEATDESK_REPORT_DSN")
    connection = sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=BUSY_SECONDS)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in (
        "query_only = ON",
        "trusted_schema = OFF",
        "cache_size = -16000",
        "mmap_size = 0",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _refuse_own(connection: sqlite3.Connection) -> None:
    """Raise StatementFailed for a database of Beatdesk."""
    (count,) = connection.execute(own_database.IN_SQLITE, own_database.MARKS).fetchone()
    if count == len(own_database.MARKS):
        raise StatementFailed(own_database.REFUSAL)


def _authorizer(refused: list[str]) -> Any:
    """An authorizer that permits reading, and adds other actions to `refused`."""

    def decide(
        action: int, one: str | None, two: str | None, _database: str | None, _inside: str | None
    ) -> int:
        if action in _ALLOWED and not (
            action == sqlite3.SQLITE_FUNCTION and two in _REFUSED_FUNCTIONS
        ):
            return sqlite3.SQLITE_OK
        what = two if action == sqlite3.SQLITE_FUNCTION else one
        refused.append(f"{_NAMES.get(action, f'action {action}')} {what or ''}".strip())
        return sqlite3.SQLITE_DENY

    return decide


_NAMES: dict[int, str] = {
    value: name.removeprefix("SQLITE_").replace("_", " ")
    for name, value in vars(sqlite3).items()
    if name.startswith(("SQLITE_CREATE_", "SQLITE_DROP_", "SQLITE_ALTER_"))
    or name
    in {
        "SQLITE_DELETE",
        "SQLITE_INSERT",
        "SQLITE_UPDATE",
        "SQLITE_PRAGMA",
        "SQLITE_ATTACH",
        "SQLITE_DETACH",
        "SQLITE_TRANSACTION",
        "SQLITE_SAVEPOINT",
        "SQLITE_FUNCTION",
        "SQLITE_REINDEX",
        "SQLITE_ANALYZE",
    }
}


def _batches(cursor: sqlite3.Cursor) -> Iterator[Batch]:
    while batch := cursor.fetchmany(ROWS_AT_ONCE):
        yield batch


def _plain(value: Any) -> Any:
    """The value for SQLite: times as text in the form of SQLite's own functions, in UTC."""
    return value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else value
