"""Deletion of old rows of a permitted table, in batches: each in a transaction, so other writers
come in between.

Names of tables and columns come from the settings, are looked up in the database, and are quoted.
SQLite has times as ISO texts or as Unix seconds, and both are read; other values are never deleted.
In PostgreSQL the column must be a date or a timestamp; a time without a zone is read as UTC. Locked
rows are left alone; for its row locks PostgreSQL requires the right to update some column beside
the rights to read and to delete.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from scheduler.errors import Refused
from scheduler.jobs.sql.caps import StatementFailed
from scheduler.jobs.sql.reading_postgres import CONNECTION
from scheduler.jobs.sql.source import libpq, sqlite_path
from scheduler.settings.job_limits import SqlRows

BUSY_SECONDS = 15.0
LOCK_TIMEOUT = "5s"
_TIMES = {"timestamp with time zone", "timestamp without time zone", "date"}


def check(address: str, rows: SqlRows, before: datetime) -> None:
    """Check that the table exists, with a time in the column. Raises Refused otherwise, and
    StatementFailed with the database's reason.
    """
    path = sqlite_path(address)
    try:
        if path is not None:
            _sqlite(path, rows).close()
            return
        with psycopg.connect(libpq(address), **CONNECTION) as connection:  # type: ignore[arg-type] # libpq's options
            _cutoff(connection, rows, before)
    except (sqlite3.Error, psycopg.Error) as error:
        raise StatementFailed(f"{rows.name} cannot be looked up: {str(error).strip()}") from None


def count(address: str, rows: SqlRows, before: datetime) -> int:
    """Number of rows before a moment. Raises Refused and StatementFailed as `check`."""
    path = sqlite_path(address)
    try:
        if path is not None:
            with closing(_sqlite(path, rows)) as connection:
                statement = f"SELECT count(*) FROM {_quoted(rows.table)} WHERE {_is_old(rows)}"  # noqa: S608 - quoted
                return int(connection.execute(statement, [before.timestamp()]).fetchone()[0])
        with psycopg.connect(libpq(address), **CONNECTION) as connection:  # type: ignore[arg-type] # libpq's options
            cutoff = _cutoff(connection, rows, before)
            counting = sql.SQL("SELECT count(*) FROM {} WHERE {} < %s").format(
                _table(rows), sql.Identifier(rows.column)
            )
            return int(_one(connection.execute(counting, [cutoff])))
    except (sqlite3.Error, psycopg.Error) as error:
        raise StatementFailed(f"{rows.name} cannot be counted: {str(error).strip()}") from None


def delete(address: str, rows: SqlRows, before: datetime, batch: int) -> Iterator[int]:
    """Delete the rows before a moment. Yields the count of each batch, of at most `batch` rows.
    Raises Refused and StatementFailed as `check`.
    """
    path = sqlite_path(address)
    deleted = _delete_sqlite(path, rows, before, batch) if path is not None else None
    try:
        yield from (
            deleted
            if deleted is not None
            else _delete_postgres(libpq(address), rows, before, batch)
        )
    except (sqlite3.Error, psycopg.Error) as error:
        raise StatementFailed(f"{rows.name} is not cleaned further: {str(error).strip()}") from None


def _delete_sqlite(path: str, rows: SqlRows, before: datetime, batch: int) -> Iterator[int]:
    table = _quoted(rows.table)
    chosen = f"SELECT rowid FROM {table} WHERE {_is_old(rows)} LIMIT ?"  # noqa: S608 - quoted
    with closing(_sqlite(path, rows)) as connection:
        yield from _batches(
            lambda: (
                connection.execute(
                    f"DELETE FROM {table} WHERE rowid IN ({chosen})",  # noqa: S608 - quoted
                    [before.timestamp(), batch],
                ).rowcount
            ),
            batch,
        )


def _delete_postgres(address: str, rows: SqlRows, before: datetime, batch: int) -> Iterator[int]:
    statement = sql.SQL(
        "DELETE FROM {table} WHERE (tableoid, ctid) IN (SELECT tableoid, ctid FROM {table} WHERE "
        "{column} < %s LIMIT %s FOR UPDATE SKIP LOCKED)"
    ).format(table=_table(rows), column=sql.Identifier(rows.column))
    options: Any = {**CONNECTION, "application_name": "beatdesk cleanup"}
    with psycopg.connect(address, autocommit=True, **options) as connection:
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
        cutoff = _cutoff(connection, rows, before)
        yield from _batches(lambda: connection.execute(statement, [cutoff, batch]).rowcount, batch)


def _batches(delete_some: Callable[[], int], batch: int) -> Iterator[int]:
    """The counts of batches, until one has fewer rows than `batch`."""
    while True:
        deleted = delete_some()
        if deleted:
            yield deleted
        if deleted < batch:
            return


def _sqlite(path: str, rows: SqlRows) -> sqlite3.Connection:
    """A writing connection, after a check of the table. Each statement is a transaction."""
    if rows.schema is not None:
        raise Refused(
            f"{rows.name}: SQLite has no schemas; write TABLE.COLUMN in BEATDESK_CLEANUP_SQL_ROWS"
        )
    if not Path(path).is_file():
        raise Refused(f"there is no database {path}; see BEATDESK_CLEANUP_DSN")
    connection = sqlite3.connect(
        f"file:{quote(path)}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    connection.execute("PRAGMA foreign_keys = ON")
    column_query = (
        "SELECT c.name FROM pragma_table_list t, pragma_table_info(t.name) c WHERE t.name = ? AND "
        "t.type = 'table'"
    )
    plain_table_query = f"{column_query} AND NOT t.wr AND t.schema = 'main'"
    if rows.column not in {name for (name,) in connection.execute(plain_table_query, [rows.table])}:
        connection.close()
        raise Refused(
            f"{rows.name} is not a column of a plain table; see BEATDESK_CLEANUP_SQL_ROWS"
        )
    return connection


def _is_old(rows: SqlRows) -> str:
    """SQL condition for old rows: texts as ISO 8601, numbers as Unix seconds. Other values are NULL
    in SQLite, so not old.
    """
    return f"unixepoch({_quoted(rows.column)}, 'auto') < ?"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _table(rows: SqlRows) -> sql.Identifier:
    return sql.Identifier(*filter(None, (rows.schema, rows.table)))


def _cutoff(connection: "psycopg.Connection[Any]", rows: SqlRows, before: datetime) -> Any:
    """The moment in the column's type. Raises Refused where the column is not a time."""
    name = ".".join(_quoted(part) for part in (rows.schema, rows.table) if part)
    found = connection.execute(
        "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass(%s) "
        "AND attname = %s AND attnum > 0 AND NOT attisdropped",
        [name, rows.column],
    ).fetchone()
    kind = None if found is None else str(found[0])
    if kind not in _TIMES:
        problem = (
            "the column does not exist"
            if kind is None
            else f"the column is {kind}, not a date or a timestamp"
        )
        raise Refused(f"{rows.name}: {problem}; see BEATDESK_CLEANUP_SQL_ROWS")
    _refuse_without_rights(connection, rows, name)
    utc = before.astimezone(UTC)
    if kind == "date":
        return utc.date()
    return utc if kind == "timestamp with time zone" else utc.replace(tzinfo=None)


def _refuse_without_rights(
    connection: "psycopg.Connection[Any]", rows: SqlRows, table: str
) -> None:
    """Raise Refused with the rights missing from the login, in a dry run too, so that a dry run
    promises only possible deletions.
    """
    rights = connection.execute(
        "SELECT has_table_privilege(t, 'SELECT'), has_table_privilege(t, 'DELETE'), "
        "has_any_column_privilege(t, 'UPDATE') FROM to_regclass(%s) t",
        [table],
    ).fetchone()
    wanted = ("SELECT", "DELETE", f"UPDATE ({_quoted(rows.column)})")
    lacking = [right for right, has in zip(wanted, rights or (), strict=True) if not has]
    if lacking:
        raise Refused(
            f"{rows.name}: the login of BEATDESK_CLEANUP_DSN lacks rights; GRANT "
            f"{', '.join(lacking)} ON {table} to it"
        )


def _one(cursor: Any) -> Any:
    return cursor.fetchone()[0]
