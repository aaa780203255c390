"""Statements that cost memory, time or traces: the child process of a report ends, not the worker."""

import contextlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic

import psycopg
import pytest

from scheduler.jobs.sql.caps import Caps, StatementFailed
from scheduler.jobs.sql.source import libpq
from tests.support.asking import answer
from tests.support.postgres import PostgresServer

FOR_A_SECOND = Caps(rows=10_000, bytes=50_000_000, seconds=1)
COUNT = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with values of 15 MB."""
    path = tmp_path_factory.mktemp("large") / "shop.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE large (picture BLOB)")
        for _ in range(3):
            connection.execute("INSERT INTO large VALUES (zeroblob(15000000))")
    return path


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT zeroblob(2000000000)",
        "SELECT hex(zeroblob(400000000))",
        "SELECT picture FROM large",
        "SELECT length(hex(picture)) FROM large",
        "SELECT replace(LONG, '0', LONG)",
        "SELECT printf('%.*c', 2000000000, 'x')",
        "COUNT SELECT group_concat(i, 'xxxxxxxxxx') FROM n",
        "COUNT SELECT json_group_array(i) FROM n",
        "COUNT SELECT count(DISTINCT i || LONG) FROM n",
        "COUNT SELECT i || LONG AS t FROM n ORDER BY t",
        "COUNT SELECT max(instr(LONG || i, LONG || 'x')) FROM n",
        "SELECT instr(LONG, substr(LONG, 1, 1800000) || '1')",
        "COUNT SELECT LONG FROM n",
    ],
)
def test_sqlite_costs_no_more_than_the_caps(file: Path, statement: str) -> None:
    begun = monotonic()
    statement = statement.replace("LONG", "hex(zeroblob(1900000))").replace("COUNT", COUNT)
    with pytest.raises(StatementFailed):
        answer(f"sqlite:///{file}", statement, caps=FOR_A_SECOND)
    assert monotonic() - begun < 20


def test_a_value_of_many_megabytes_is_refused_with_its_column(file: Path) -> None:
    with pytest.raises(StatementFailed, match="string or blob too big"):
        answer(f"sqlite:///{file}", "SELECT 1, picture FROM large")


OWN = ["CREATE TABLE history_identity (id TEXT)", "CREATE TABLE users_roles (user_id INTEGER)"]


def test_our_own_database_is_refused_by_whatever_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in OWN:
            connection.execute(statement)
    (tmp_path / "linked.sqlite3").symlink_to(path)
    os.link(path, tmp_path / "hard.sqlite3")
    monkeypatch.chdir(tmp_path)
    for address in (
        f"sqlite:///{path}",
        "sqlite:///history.sqlite3",
        "sqlite:///./x/../history.sqlite3",
        "sqlite+pysqlite:///history.sqlite3",
        f"sqlite:///{tmp_path}/linked.sqlite3",
        f"sqlite:///{tmp_path}/hard.sqlite3",
        f"sqlite:///file:{path}?uri=true",
    ):
        with pytest.raises(StatementFailed, match=r"a database of Beatdesk|there is no database"):
            answer(address, "SELECT 1")


@pytest.fixture
def reader(postgres: PostgresServer, postgres_url: str) -> str:
    """The address of a login that may read."""
    with psycopg.connect(libpq(postgres_url), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
    return postgres_url.replace("postgres@", "reader@")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_our_own_database_on_a_server_is_refused(
    reader: str, postgres_url: str, scheme: str
) -> None:
    with psycopg.connect(libpq(postgres_url), autocommit=True) as connection:
        for statement in OWN:
            connection.execute(statement.replace("TABLE ", "TABLE IF NOT EXISTS "))
    with pytest.raises(StatementFailed, match="a database of Beatdesk"):
        answer(f"{scheme}://{reader.partition('://')[2]}", "SELECT 1")


@pytest.mark.parametrize(
    "statement",
    ["SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'abc'::bytea)", "SELECT lo_creat(-1)"],
)
def test_no_large_object_is_left(reader: str, postgres_url: str, statement: str) -> None:
    with contextlib.suppress(StatementFailed):  # newer servers refuse the statement itself
        answer(reader, statement)
    with psycopg.connect(libpq(postgres_url)) as connection:
        found = connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
    assert found == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT repeat('x', 15000000)",
        "SELECT repeat('x', 15000000) FROM generate_series(1, 100)",
        "SELECT repeat('x', 400000000)",
        "SELECT array_agg(repeat('x', 1000000)) FROM generate_series(1, 10)",
    ],
)
def test_long_values_of_postgresql_are_refused(reader: str, statement: str) -> None:
    caps = Caps(rows=10_000, bytes=500_000_000, seconds=30)
    with pytest.raises(StatementFailed, match=r"more than 4 MB|memory"):
        answer(reader, statement, caps=caps)
