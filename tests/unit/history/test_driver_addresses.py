"""Which addresses of the history the driver is asked at, and which of its errors are outages."""

import sqlite3

import psycopg
import pytest
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from scheduler.history.connecting import POSTGRES
from scheduler.history.driver_errors import outage
from scheduler.history.queries.newest_runs import postgres_options, sqlite_path


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("sqlite:////srv/data/history.sqlite3", "/srv/data/history.sqlite3"),
        ("sqlite:///history.sqlite3", "history.sqlite3"),
        ("sqlite:////srv/my data/a%20b.sqlite3", "/srv/my data/a b.sqlite3"),
        ("sqlite:///:memory:", None),
        ("sqlite://", None),
        ("sqlite:///file:history?mode=ro&uri=true", None),
        ("sqlite:///history.sqlite3?timeout=3", None),
        ("sqlite+pysqlite:///history.sqlite3", None),
        ("postgresql://ada@host/name", None),
    ],
)
def test_a_file_of_sqlite_is_read_as_sqlalchemy_reads_it(address: str, path: str | None) -> None:
    assert sqlite_path(address) == path
    if path is not None:
        assert make_url(address).database == path


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://ada@127.0.0.1:5432/beatdesk",
        "postgresql+psycopg://ada:p%40ss%3Aw%25rd@db.example.org/beatdesk",
        "postgresql+psycopg://a%20b:!$&'()*+,;=~@host/name",
        "postgresql+psycopg://host/name",
        "postgresql+psycopg://ada@[::1]:5433/name",
        "postgresql+psycopg://ada@host/name?sslmode=require&sslrootcert=%2Fsrv%2Fca.pem",
    ],
)
def test_a_server_is_read_as_sqlalchemy_reads_it(address: str) -> None:
    _, theirs = PGDialect_psycopg().create_connect_args(make_url(address))
    ours = postgres_options(address)
    assert ours is not None
    assert {name: str(value) for name, value in ours.items()} == {
        name: str(value) for name, value in (theirs | POSTGRES).items()
    }


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg:///name?host=/run/postgresql",
        "postgresql+psycopg://ada@/name?host=one:5432&host=two:5432",
        "postgresql+psycopg://ada@host/name?host=two",
        "postgresql+psycopg://ada:a/b#c@host/name",
        "postgresql+psycopg://ada@host/",
        "postgresql+psycopg://ada@host/name?sslmode=a&sslmode=b",
        "postgresql+psycopg://ada@host/name?sslmode=",
        "sqlite:////srv/history.sqlite3",
        "mysql://ada@host/name",
    ],
)
def test_other_addresses_are_left_to_sqlalchemy(address: str) -> None:
    assert postgres_options(address) is None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            sqlite3.OperationalError("no such table: runs"),
            "its tables are missing; run `beatdesk db upgrade`",
        ),
        (sqlite3.OperationalError("database is locked\n"), "database is locked"),
        (
            psycopg.errors.UndefinedTable("relation"),
            "its tables are missing; run `beatdesk db upgrade`",
        ),
        (
            psycopg.errors.UndefinedColumn("column"),
            "its tables are missing; run `beatdesk db upgrade`",
        ),
        (psycopg.OperationalError("connection refused"), "connection refused"),
        (psycopg.InterfaceError("the connection is closed"), "the connection is closed"),
        (psycopg.errors.ProgramLimitExceeded("row is too big"), None),
        (psycopg.errors.SyntaxError("at or near"), None),
        (sqlite3.IntegrityError("UNIQUE constraint failed"), None),
        (ZeroDivisionError("ours"), None),
        (TimeoutError("no database's"), None),
    ],
)
def test_an_outage_is_told_from_a_fault_of_ours(error: Exception, reason: str | None) -> None:
    assert outage(error) == reason
