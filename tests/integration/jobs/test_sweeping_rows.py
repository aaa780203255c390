"""Old rows of real tables: exactly those go, and whoever writes meanwhile does not wait for
long.
"""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg
import pytest

from scheduler.errors import BeatdeskError, Refused
from scheduler.jobs.sql.caps import StatementFailed
from scheduler.jobs.sql.source import libpq
from scheduler.jobs.sweeping.rows import count, delete
from scheduler.settings.job_limits import SqlRows, sql_rows

CUTOFF = datetime(2026, 11, 1, tzinfo=UTC)
ENTRY = sql_rows("sessions.created_at 30d")


def done(address: str, rows: SqlRows = ENTRY, batch: int = 100) -> tuple[int, int]:
    """What a dry run says, and what is then deleted."""
    return count(address, rows, CUTOFF), sum(delete(address, rows, CUTOFF, batch))


@pytest.fixture
def sqlite_app(tmp_path: Path) -> str:
    """The database of an application, in a file."""
    return f"sqlite:///{tmp_path / 'app.sqlite3'}"


def execute(address: str, *statements: str) -> list[Any]:
    """Carry out statements on either kind; the rows of the last."""
    if address.startswith("sqlite"):
        with closing(sqlite3.connect(address.removeprefix("sqlite:///"))) as connection, connection:
            return [connection.execute(statement).fetchall() for statement in statements][-1]
    with psycopg.connect(libpq(address), autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_sqlite_reads_times_as_texts_and_as_unix_seconds(sqlite_app: str) -> None:
    execute(
        sqlite_app,
        "CREATE TABLE sessions (id INTEGER PRIMARY KEY, created_at)",
        """INSERT INTO sessions (id, created_at) VALUES (1, '2026-10-31 23:59:59'), (2, '2026-11-01 00:00:00'),
           (3, '2026-10-31T23:59:59Z'), (4, '2026-11-01T01:30:00+02:00'), (5, 1700000000), (6, 1893456000),
           (7, NULL), (8, 'yesterday'), (9, 1700000000000), (10, x'00'), (11, '2026-10-01')""",
    )
    assert done(sqlite_app) == (5, 5)
    assert [row[0] for row in execute(sqlite_app, "SELECT id FROM sessions ORDER BY id")] == [
        2,
        6,
        7,
        8,
        9,
        10,
    ]


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date"])
def test_postgresql_takes_dates_and_timestamps(postgres_url: str, kind: str) -> None:
    execute(
        postgres_url,
        f"CREATE TABLE sessions (id INTEGER PRIMARY KEY, created_at {kind})",
        "INSERT INTO sessions VALUES (1, '2026-10-31 12:00'), (2, '2026-11-01 12:00'), (3, NULL), "
        "(4, '2020-01-01')",
    )
    assert done(postgres_url) == (2, 2)
    assert execute(postgres_url, "SELECT id FROM sessions ORDER BY id") == [(2,), (3,)]


def test_a_partitioned_table_loses_exactly_its_old_rows(postgres_url: str) -> None:
    execute(
        postgres_url,
        "CREATE SCHEMA shop",
        'CREATE TABLE shop.audit (id INTEGER, "At" timestamptz) PARTITION BY LIST (id)',
        "CREATE TABLE shop.one PARTITION OF shop.audit FOR VALUES IN (1)",
        "CREATE TABLE shop.two PARTITION OF shop.audit FOR VALUES IN (2)",
        "INSERT INTO shop.audit SELECT 1, '2020-01-01' FROM generate_series(1, 250)",
        "INSERT INTO shop.audit SELECT 2, '2030-01-01' FROM generate_series(1, 250)",
    )
    assert done(postgres_url, sql_rows("shop.audit.At 1d")) == (250, 250)
    assert execute(postgres_url, "SELECT DISTINCT id FROM shop.audit") == [(2,)]


@pytest.mark.parametrize(
    ("kind", "made", "entry", "words"),
    [
        (
            "sqlite",
            "CREATE TABLE other (a)",
            "sessions.created_at 1d",
            "is not a column of a plain",
        ),
        (
            "sqlite",
            "CREATE TABLE sessions (a)",
            "sessions.created_at 1d",
            "is not a column of a plain",
        ),
        (
            "sqlite",
            "CREATE VIEW sessions AS SELECT 1 AS created_at",
            "sessions.created_at 1d",
            "is not a column of a plain",
        ),
        (
            "sqlite",
            "CREATE TABLE sessions (created_at PRIMARY KEY) WITHOUT ROWID",
            "sessions.created_at 1d",
            "plain table",
        ),
        (
            "sqlite",
            "CREATE TABLE sessions (created_at)",
            "main.sessions.created_at 1d",
            "SQLite has no schemas",
        ),
        ("sqlite", "CREATE TABLE other (a)", "sqlite_master.name 1d", "is not a column of a plain"),
        (
            "postgres",
            "CREATE TABLE other (a int)",
            "sessions.created_at 1d",
            "the column does not exist",
        ),
        (
            "postgres",
            "CREATE TABLE sessions (created_at int)",
            "sessions.created_at 1d",
            "the column is integer, not a date",
        ),
        (
            "postgres",
            "CREATE TABLE sessions (created_at text)",
            "sessions.created_at 1d",
            "the column is text",
        ),
    ],
)
def test_what_is_no_time_of_a_table_is_refused(
    request: pytest.FixtureRequest, kind: str, made: str, entry: str, words: str
) -> None:
    address = request.getfixturevalue("sqlite_app" if kind == "sqlite" else "postgres_url")
    execute(address, made)
    for act in (
        lambda: count(address, sql_rows(entry), CUTOFF),
        lambda: list(delete(address, sql_rows(entry), CUTOFF, 9)),
    ):
        with pytest.raises(Refused, match=words):
            act()


def test_rows_that_others_need_stay_and_the_reason_is_told(sqlite_app: str) -> None:
    execute(
        sqlite_app,
        "CREATE TABLE sessions (id INTEGER PRIMARY KEY, created_at)",
        "CREATE TABLE carts (session INTEGER REFERENCES sessions(id))",
        "INSERT INTO sessions VALUES (1, '2020-01-01')",
        "INSERT INTO carts VALUES (1)",
    )
    with pytest.raises(
        StatementFailed, match=r"sessions.created_at is not cleaned further: FOREIGN KEY"
    ):
        done(sqlite_app)
    assert execute(sqlite_app, "SELECT count(*) FROM sessions") == [(1,)]


def test_a_dry_run_asks_for_the_rights_that_the_real_one_needs(postgres_url: str) -> None:
    cleaner = postgres_url.replace("postgres@", "cleaner_of_rows@")
    execute(
        postgres_url,
        "CREATE TABLE sessions (created_at timestamptz)",
        "INSERT INTO sessions VALUES ('2026-10-01T00:00:00Z'), ('2026-11-02T00:00:00Z')",
        "DROP ROLE IF EXISTS cleaner_of_rows",
        "CREATE ROLE cleaner_of_rows LOGIN",
        "GRANT SELECT ON sessions TO cleaner_of_rows",
    )
    with pytest.raises(
        Refused, match=r'lacks rights; GRANT DELETE, UPDATE \("created_at"\) ON "sessions" to it'
    ):
        count(cleaner, ENTRY, CUTOFF)
    execute(postgres_url, "GRANT DELETE, UPDATE (created_at) ON sessions TO cleaner_of_rows")
    assert done(cleaner) == (1, 1)
    execute(postgres_url, "DROP OWNED BY cleaner_of_rows", "DROP ROLE cleaner_of_rows")


def test_a_server_that_is_away_is_told_without_the_password() -> None:
    address = "postgresql://cleaner:hush@127.0.0.1:1/app?connect_timeout=1"
    with pytest.raises(BeatdeskError, match="cannot be counted") as refused:
        count(address, ENTRY, CUTOFF)
    assert "hush" not in str(refused.value)


def slowest(write: Callable[[int], None], meanwhile: Callable[[], int]) -> tuple[int, int, float]:
    """How many rows went, how many writes came in between, and how long the slowest of them
    took.

    The writer rests between two writes, as applications do. SQLite has no queue of writers, but
    looks again every tenth of a second: one that never rests would keep all others out.
    """
    times: list[float] = []
    over = threading.Event()

    def keep_writing() -> None:
        while not over.wait(0.005) or len(times) < 5:
            begun = perf_counter()
            write(len(times))
            times.append(perf_counter() - begun)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        gone = meanwhile()
    finally:
        over.set()
        writer.join()
    return gone, len(times), max(times)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_whoever_writes_meanwhile_does_not_wait_for_the_end(
    request: pytest.FixtureRequest, kind: str
) -> None:
    address = request.getfixturevalue("sqlite_app" if kind == "sqlite" else "postgres_url")
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
    type_ = "TEXT" if kind == "sqlite" else "timestamptz"
    execute(
        address,
        f"CREATE TABLE sessions (id INTEGER, created_at {type_})",
        f"{series} INSERT INTO sessions SELECT i, '2020-01-01' FROM n",  # noqa: S608 - no input
    )

    def write(number: int) -> None:
        execute(address, f"INSERT INTO sessions VALUES ({-number}, '2030-01-01')")  # noqa: S608 - a number

    def clean() -> int:
        gone = 0
        for deleted in delete(address, ENTRY, CUTOFF + timedelta(days=1), 500):
            gone += deleted
            threading.Event().wait(0.02)
        return gone

    gone, writes, longest = slowest(write, clean)
    assert gone == 20_000
    assert writes >= 20
    assert longest < 2.0
    assert execute(address, "SELECT count(*) FROM sessions") == [(writes,)]
