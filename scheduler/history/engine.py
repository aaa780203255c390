"""The engine for the history: SQLite in WAL mode, or PostgreSQL. Tables are in `models`.

SQLite has one writer at a time. A transaction that reads first and writes later is refused at once,
without waiting, if another transaction has written in between. So a writer takes the lock at the
start: `writing(engine)`.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from scheduler.errors import Refused
from scheduler.history import database_use, open_file
from scheduler.history.connecting import FOR_PROCESSES, POSTGRES, SqlLimits

BEGIN_OPTION = "sqlite_begin"

CACHE_KILOBYTES = 4_096
"""Memory for pages of SQLite, for each connection; the default of 2 MB is too small for an index.

With 2 MB, a list reads each page of the index again and again.
"""

_REMEDY = "Give sqlite:////path/history.sqlite3 or postgresql://user:password@host/name"


def create_engine(url: str, limits: SqlLimits = FOR_PROCESSES) -> Engine:
    """Return the engine for an address. Raises Refused for an unsupported address.

    Supported are addresses such as `sqlite:////folder/history.sqlite3` and
    `postgresql://user@host/name`. Errors hide the values of statements, since arguments of jobs are
    among the values.
    """
    address = _address(url)
    engine = (
        _sqlite(address, limits)
        if address.get_backend_name() == "sqlite"
        else _postgresql(address, limits)
    )
    event.listen(engine, "connect", _remember_process)
    event.listen(engine, "checkout", _refuse_connection_of_parent)
    event.listen(engine, "checkout", _refuse_replaced_file)
    if limits.are_for_pages:
        database_use.watch(engine)
    return engine


def _sqlite(address: URL, limits: SqlLimits) -> Engine:
    engine = sqlalchemy.create_engine(
        address, pool_size=10, max_overflow=20, pool_timeout=limits.pool, hide_parameters=True
    )
    event.listen(engine, "do_connect", _refuse_missing_file)
    event.listen(
        engine, "connect", lambda connection, record: _prepare_sqlite(connection, record, limits)
    )
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql(address: URL, limits: SqlLimits) -> Engine:
    engine = sqlalchemy.create_engine(
        address,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=15,
        pool_timeout=limits.pool,
        connect_args={**POSTGRES, "connect_timeout": limits.connect},
        hide_parameters=True,
    )
    event.listen(engine, "connect", lambda connection, _: _limit_postgresql(connection, limits))
    return engine


def _limit_postgresql(connection: Any, limits: SqlLimits) -> None:
    """Set the time-outs of a new connection; those of the login or the server stand otherwise.

    They are set by statements: a connection pooler refuses what it does not know at the start.
    """
    given = {"lock_timeout": limits.lock, "statement_timeout": limits.statement}
    with connection.cursor() as cursor:
        for name, seconds in given.items():
            if seconds is not None:
                cursor.execute(f"SET {name} = {int(seconds * 1000)}")
    connection.commit()


def writing(engine: Engine) -> Engine:
    """Return the engine with transactions that take SQLite's write lock at the beginning."""
    return engine.execution_options(**{BEGIN_OPTION: "IMMEDIATE"})


def make_file(engine: Engine) -> None:
    """Make a missing SQLite file and the folder; nothing for PostgreSQL.

    Connections never make the file: an empty file in the place of a moved history would pass for
    the history.
    """
    if engine.dialect.name == "sqlite" and engine.url.database:
        path = Path(engine.url.database)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)


def _address(url: str) -> URL:
    """Return the address with the driver installed by Beatdesk."""
    try:
        address = make_url(url)
    except ArgumentError:
        raise Refused(f"database_url is not an address. {_REMEDY}", field="database_url") from None
    backend = address.get_backend_name()
    if backend in ("postgres", "postgresql"):
        return address.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and address.database not in (None, "", ":memory:"):
        return address
    shown = address.render_as_string(hide_password=True)
    raise Refused(
        f"database_url: {shown!r} cannot hold the history. {_REMEDY}", field="database_url"
    )


def _refuse_missing_file(
    _dialect: Any, _record: Any, arguments: list[Any], _options: dict[str, Any]
) -> None:
    open_file.refuse_missing(arguments[0])


def _refuse_replaced_file(_connection: Any, record: Any, _proxy: Any) -> None:
    """Replace a connection whose file was moved, deleted or replaced."""
    open_file.refuse_replaced(record.info)


def _prepare_sqlite(connection: Any, record: Any, limits: SqlLimits) -> None:
    """Set up a connection, with WAL and FULL.

    WAL: readers and the writer do not wait for each other. FULL: a committed row survives a power
    cut, and only then may the event leave the stream.
    """
    open_file.note(record.info, connection.execute("PRAGMA database_list").fetchone()[2])
    connection.isolation_level = None  # we begin transactions ourselves
    for pragma in (
        f"busy_timeout = {int(limits.busy * 1000)}",
        "synchronous = FULL",
        "foreign_keys = ON",
        "journal_size_limit = 67108864",
        f"cache_size = -{CACHE_KILOBYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    _switch_to_wal(connection)


def _switch_to_wal(connection: Any, tries: int = 20) -> None:
    """Switch the file to WAL, once in the life of the file.

    SQLite does not wait for the switch, so take the write lock between tries.
    """
    for _ in range(tries):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("COMMIT")
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(
        f"BEGIN {connection.get_execution_options().get(BEGIN_OPTION, 'DEFERRED')}"
    )


def _remember_process(_connection: Any, record: Any) -> None:
    record.info["pid"] = os.getpid()


def _refuse_connection_of_parent(_connection: Any, record: Any, proxy: Any) -> None:
    """Refuse a connection inherited by a forked worker from the parent."""
    if record.info["pid"] != os.getpid():
        record.dbapi_connection = proxy.dbapi_connection = None
        raise DisconnectionError("the connection belongs to another process")
