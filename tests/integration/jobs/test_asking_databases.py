"""Statements of reports on real databases: what reads is answered, what would change or never end
is not.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import Any

import psycopg
import pytest

from scheduler.errors import BadArguments, BeatdeskError
from scheduler.jobs.sql.caps import Caps, StatementFailed, TooMuch
from scheduler.jobs.sql.source import libpq
from tests.support.asking import answer
from tests.support.postgres import PostgresServer

Ask = Callable[..., tuple[list[str], list[tuple[Any, ...]]]]

SALES = [(1, "Ada", 10.5), (2, "=1+1", 4.0), (3, None, 0.25)]


@pytest.fixture
def sqlite_shop(tmp_path: Path) -> str:
    """A shop's database in a file."""
    path = tmp_path / "shop of #Ada.sqlite3"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, who TEXT, amount REAL)")
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?)", SALES)
    return f"sqlite:///{tmp_path / 'shop of #Ada.sqlite3'}"


@pytest.fixture
def postgres_shop(postgres: PostgresServer, postgres_url: str) -> str:
    """The same on a server, and a login that has rights to write, so that it is not they that hold
    it back.
    """
    with psycopg.connect(libpq(postgres_url), autocommit=True) as connection:
        connection.execute("CREATE TABLE sales (id INTEGER PRIMARY KEY, who TEXT, amount REAL)")
        connection.cursor().executemany("INSERT INTO sales VALUES (%s, %s, %s)", SALES)
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT ALL ON sales TO reader")
    return postgres_url.replace("postgres@", "reader@")


@pytest.fixture(params=["sqlite", "postgres"])
def shop(request: pytest.FixtureRequest) -> str:
    """The shop, on both kinds of database."""
    return str(request.getfixturevalue(f"{request.param}_shop"))


def test_a_select_is_answered_with_bound_values(shop: str) -> None:
    statement = 'SELECT id, who AS "name" FROM sales WHERE amount >= :least OR who = :who ORDER BY id -- :not_a_name;'
    columns, rows = answer(shop, statement, {"least": 4, "who": "'; DROP TABLE sales; --"})
    assert (columns, rows) == (["id", "name"], [(1, "Ada"), (2, "=1+1")])


def test_a_name_without_a_value_is_told(shop: str) -> None:
    with pytest.raises(BadArguments, match="needs a value for :since; given are tick"):
        answer(shop, "SELECT * FROM sales WHERE id > :since", {"tick": 1})


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM sales",
        "UPDATE sales SET amount = 0",
        "DROP TABLE sales",
        "INSERT INTO sales VALUES (4, 'x', 1) RETURNING id",
        "SELECT 1; DELETE FROM sales",
        "SELECT 1; SELECT 2",
        "VACUUM",
        "COMMIT; DELETE FROM sales",
        "",
        "SELECT * FROM nowhere",
    ],
)
def test_what_would_change_something_is_refused(shop: str, statement: str) -> None:
    with pytest.raises(StatementFailed, match=r"refuses|gives no rows"):
        answer(shop, statement)
    assert len(answer(shop, "SELECT * FROM sales")[1]) == len(SALES)


@pytest.mark.parametrize(
    "statement",
    [
        "WITH gone AS (DELETE FROM sales RETURNING id) SELECT * FROM gone",
        "WITH made AS (INSERT INTO sales VALUES (9, 'x', 1) RETURNING id) SELECT * FROM made",
        "COPY sales TO PROGRAM 'cat'",
        "COPY (SELECT 1) TO STDOUT",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT set_config('role', 'postgres', true)",
        "SELECT * FROM sales FOR UPDATE",
        "SELECT nextval('sequence_of_sales')",
        "DO $$ BEGIN DELETE FROM sales; END $$",
        "SET TRANSACTION READ WRITE",
    ],
)
def test_postgresql_refuses_what_does_more_than_read(
    postgres_shop: str, postgres_url: str, statement: str
) -> None:
    with psycopg.connect(libpq(postgres_url)) as connection:
        connection.execute("CREATE SEQUENCE sequence_of_sales")
        connection.execute("GRANT ALL ON SEQUENCE sequence_of_sales TO reader")
    with pytest.raises(StatementFailed, match="PostgreSQL refuses"):
        answer(postgres_shop, statement)
    assert len(answer(postgres_shop, "SELECT * FROM sales")[1]) == len(SALES)


@pytest.mark.parametrize("grant", ["", "pg_execute_server_program", "pg_read_server_files"])
def test_a_login_with_the_servers_powers_is_refused(
    postgres_shop: str, postgres_url: str, grant: str
) -> None:
    address = postgres_url
    if grant:
        with psycopg.connect(libpq(postgres_url), autocommit=True) as connection:
            connection.execute(f"GRANT {grant} TO reader")
        address = postgres_shop
    with pytest.raises(
        StatementFailed, match=f"has the rights of {grant or 'postgres'}.*CREATE ROLE reader"
    ):
        answer(address, "SELECT 1")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ATTACH DATABASE '{other}' AS other", "ATTACH .* is not allowed in a report"),
        ("PRAGMA query_only = OFF", "PRAGMA query_only is not allowed"),
        ("PRAGMA table_info(sales)", "PRAGMA table_info is not allowed"),
        ("SELECT * FROM pragma_table_info('sales')", "not allowed"),
        ("SELECT load_extension('x')", "FUNCTION load_extension is not allowed|not authorized"),
        ("CREATE TEMP TABLE t AS SELECT 1", "not allowed"),
        ("BEGIN IMMEDIATE", "TRANSACTION BEGIN is not allowed"),
        ("WITH x AS (SELECT 1) DELETE FROM sales WHERE id IN x", "DELETE sales is not allowed"),
        ("SELECT zeroblob(900000000)", "too big"),
    ],
)
def test_sqlite_refuses_what_does_more_than_read(
    sqlite_shop: str, tmp_path: Path, statement: str, words: str
) -> None:
    other = tmp_path / "other.sqlite3"
    with pytest.raises(StatementFailed, match=words):
        answer(sqlite_shop, statement.format(other=other))
    assert not other.exists()


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        (
            "sqlite",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM "
            "n",
        ),
        (
            "postgres",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM "
            "n",
        ),
        ("postgres", "SELECT pg_sleep(60)"),
        ("postgres", "SELECT set_config('statement_timeout', '0', false), pg_sleep(60)"),
        ("postgres", "SELECT i, pg_sleep(0.2) FROM generate_series(1, 1000) i"),
    ],
)
def test_what_takes_too_long_is_ended(
    request: pytest.FixtureRequest, kind: str, statement: str
) -> None:
    begun = monotonic()
    with pytest.raises(TooMuch, match=r"takes longer than 1 seconds.*BEATDESK_REPORT_MAX_SECONDS"):
        answer(request.getfixturevalue(f"{kind}_shop"), statement, caps=Caps(10_000, 10_000_000, 1))
    assert monotonic() - begun < 15


NUMBERS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 'some words' FROM n"
)


@pytest.mark.parametrize(
    ("caps", "words"),
    [
        (Caps(500, 10_000_000, 30), "more than 500 rows"),
        (Caps(10**9, 200_000, 30), "more than 0 MB"),
    ],
)
def test_what_never_ends_is_ended_by_its_size(shop: str, caps: Caps, words: str) -> None:
    statement = (
        NUMBERS
        if shop.startswith("sqlite")
        else "SELECT i, 'some words' FROM generate_series(1, 100000000) i"
    )
    with pytest.raises(TooMuch, match=words):
        answer(shop, statement, caps=caps)


def test_as_many_rows_as_are_allowed_are_given(shop: str) -> None:
    assert len(answer(shop, "SELECT * FROM sales", caps=Caps(len(SALES), 1000, 30))[1]) == len(
        SALES
    )


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:////nowhere/shop.sqlite3",
        "postgresql://reader:hush@127.0.0.1:1/shop?connect_timeout=1",
    ],
)
def test_a_database_that_is_not_there_is_told_without_its_password(address: str) -> None:
    with pytest.raises(BeatdeskError) as refused:
        answer(address, "SELECT 1")
    assert "hush" not in str(refused.value)
