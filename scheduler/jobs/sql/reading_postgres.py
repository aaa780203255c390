"""Read-only queries of PostgreSQL, within a time limit.

The login must have no rights beyond the reach of a read-only transaction (a superuser may start
programs and read files). The statement is the body of a cursor, so only queries are accepted. It is
sent by the extended protocol: a single statement, with bound values. The transaction is read only,
irrevocably after the first statement. `statement_timeout` ends a slow statement, and a watchdog
ends a statement that has changed the setting.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, RawServerCursor

from scheduler.jobs.sql import own_database
from scheduler.jobs.sql.caps import Batch, Budget, StatementFailed
from scheduler.jobs.sql.placeholders import numbered
from scheduler.jobs.tables.cells import weight

FIRST_ROWS = 1
MOST_ROWS = 500
GROWTH = 4
"""Factor by which a batch may have more rows than the batch before."""

BATCH_BYTES = 1_000_000
"""Approximate bytes of one batch: a batch's number of rows follows from the batch before."""

CONNECTION = {
    "connect_timeout": 5,
    "application_name": "beatdesk report",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

_POWERS = """
    SELECT r.rolname FROM pg_roles r
    WHERE (r.rolsuper OR r.rolname IN (
        'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files',
        'pg_write_all_data', 'pg_signal_backend', 'pg_maintain', 'pg_create_subscription'))
      AND pg_has_role(session_user, r.oid, 'MEMBER')
    ORDER BY r.rolsuper DESC LIMIT 1
"""
_WAYS_OUT = """
    SELECT p.oid::regprocedure::text FROM pg_catalog.pg_proc p
    WHERE p.proname IN ('dblink', 'dblink_exec', 'dblink_connect', 'dblink_open',
                        'dblink_send_query', 'lo_export', 'lo_import')
      AND has_function_privilege(session_user, p.oid, 'EXECUTE')
    ORDER BY 1 LIMIT 1
"""
WRITABLE = """
    SELECT DISTINCT table_schema || '.' || table_name FROM information_schema.role_table_grants
    WHERE privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
      AND table_schema NOT IN ('pg_catalog', 'information_schema')
    ORDER BY 1 LIMIT 5
"""
"""The first five tables open to writing by the login."""

_LIMITS = """
    SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', '5s', true),
           set_config('idle_in_transaction_session_timeout', '120s', true)
"""


@contextmanager
def query(
    address: str, statement: str, values: Mapping[str, Any], budget: Budget
) -> Iterator[tuple[list[str], Iterator[Batch]]]:
    """Run a statement. Gives the columns, and the rows in batches. Raises StatementFailed with
    PostgreSQL's reason.
    """
    text, bound = numbered(statement.strip().removesuffix(";"), values)
    try:
        with _connected(address) as connection, _watched(connection, budget):
            refuse_powers(connection)
            connection.execute(_LIMITS, [f"{max(1, int(budget.seconds_left * 1000))}ms"])
            with RawServerCursor(connection, "report") as cursor:
                cursor.execute(text.encode(), bound)
                yield [column.name for column in cursor.description or ()], _batches(cursor)
    except psycopg.Error as error:
        if budget.is_over() or isinstance(error, psycopg.errors.QueryCanceled):
            raise budget.late() from None
        raise StatementFailed(f"PostgreSQL refuses: {str(error).strip()}") from None


@contextmanager
def _connected(address: str) -> Iterator[Connection[Any]]:
    """A connection in a read-only transaction, which is always rolled back.

    Large objects can be written in a read-only transaction by servers before PostgreSQL 16.
    """
    connection = psycopg.connect(address, **CONNECTION)  # type: ignore[arg-type] # libpq's options
    try:
        connection.read_only = True
        yield connection
    finally:
        if not connection.closed:
            connection.rollback()
            connection.close()


def refuse_powers(connection: Connection[Any]) -> None:
    """Raise StatementFailed for a login with rights beyond the limits of a read-only
    transaction, and for a database of Beatdesk.
    """
    own = connection.execute(own_database.IN_POSTGRES, own_database.MARKS).fetchone()
    if own is not None and own[0]:
        raise StatementFailed(own_database.REFUSAL)
    power = connection.execute(_POWERS).fetchone()
    if power is not None:
        raise StatementFailed(
            f"the login of BEATDESK_REPORT_DSN has the rights of {power[0]}, which may start "
            "programs and read files of the server. Make a login that may only read: CREATE ROLE "
            "reader LOGIN; GRANT SELECT ON … TO reader"
        )
    way_out = connection.execute(_WAYS_OUT).fetchone()
    if way_out is not None:
        raise StatementFailed(
            f"the login of BEATDESK_REPORT_DSN may call {way_out[0]}, which opens connections of "
            "its own, that may write, or reads and writes files. Take the right away: REVOKE "
            f"EXECUTE ON FUNCTION {way_out[0]} FROM PUBLIC, and the same for its neighbours"
        )


@contextmanager
def _watched(connection: Connection[Any], budget: Budget) -> Iterator[None]:
    """Cancel the connection's statement when the time is over."""
    watchdog = threading.Timer(
        budget.seconds_left + 0.5, connection.cancel_safe, kwargs={"timeout": 5.0}
    )
    watchdog.daemon = True
    watchdog.start()
    try:
        yield
    finally:
        watchdog.cancel()


def _batches(cursor: "RawServerCursor[Any]") -> Iterator[Batch]:
    size = FIRST_ROWS
    while batch := cursor.fetchmany(size):
        yield batch
        fitting = BATCH_BYTES * len(batch) // max(1, sum(map(weight, batch)))
        size = max(1, min(MOST_ROWS, GROWTH * size, fitting))
