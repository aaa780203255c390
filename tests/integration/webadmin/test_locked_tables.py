"""A table that another program has locked: what needs it says so soon, and the rest goes on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from time import monotonic

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url, update

from scheduler.clock import utc_now
from scheduler.history.account_models import LoginSession
from scheduler.services.services import Services
from tests.support.webadmin.visitor import Visitor

MARGIN = 2.0
"""Seconds for everything but the waiting, on a machine with other work."""


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """One kind of database for each test, by the test's own parameter."""
    address: str = request.getfixturevalue(request.param)
    return address


@contextmanager
def locked(services: Services, table: str) -> Iterator[None]:
    """Another connection holds the table; SQLite has one lock, and readers pass it."""
    url = make_url(services.settings.database)
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(url.database), isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            yield
        return
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@pytest.mark.parametrize("database_url", ["postgres_url"], indirect=True)
def test_a_page_of_a_locked_table_says_so_and_other_pages_go_on(
    app: Flask, admin: Visitor, services: Services, database_url: str
) -> None:
    assert admin.get("/runs/").status_code == 200
    with locked(services, "runs"):
        for accept in ("text/html", "application/json"):
            begun = monotonic()
            page = admin.get("/runs/", headers={"Accept": accept})
            assert monotonic() - begun < 2.0 + MARGIN
            assert page.status_code == 503
            assert page.headers["Retry-After"] == "5"
            assert "The database is busy" in page.text
            assert page.is_json == (accept == "application/json")
        begun = monotonic()
        assert admin.get("/healthz").status_code == 200
        assert admin.get("/users/").status_code == 200
        assert admin.get("/").status_code == 503  # it counts the runs of the day
        assert monotonic() - begun < 2.0 + MARGIN
    assert admin.get("/runs/").status_code == 200


@pytest.mark.parametrize("database_url", ["postgres_url"], indirect=True)
def test_where_the_accounts_are_locked_readiness_still_answers(
    app: Flask, visitor: Visitor, admin: Visitor, services: Services, database_url: str
) -> None:
    with locked(services, "users"):
        begun = monotonic()
        assert visitor.get("/healthz").status_code == 200
        assert visitor.get("/readyz").status_code == 503  # no Beat here
        assert monotonic() - begun < MARGIN
        page = admin.get("/schedules/")
        assert page.status_code == 503
        assert "The database is busy" in page.text


@pytest.mark.parametrize("database_url", ["sqlite_url"], indirect=True)
def test_where_sqlite_is_locked_readers_go_on_and_a_login_is_told(
    app: Flask, admin: Visitor, services: Services, visitor: Visitor, database_url: str
) -> None:
    visitor.token("/login")
    with locked(services, "sessions"):
        assert admin.get("/runs/").status_code == 200
        begun = monotonic()
        page = visitor.login("admin@example.org")
        assert monotonic() - begun < 2.0 + MARGIN
        assert page.status_code == 503
        assert "The database is busy" in page.text


@pytest.mark.parametrize("database_url", ["sqlite_url", "postgres_url"], indirect=True)
def test_a_page_is_shown_though_the_use_of_its_session_cannot_be_noted(
    app: Flask, admin: Visitor, services: Services, database_url: str
) -> None:
    long_ago = utc_now() - timedelta(hours=1)
    with services.engine.begin() as connection:
        connection.execute(update(LoginSession).values(used_at=long_ago))
    other = make_url(database_url).get_backend_name()
    with locked(services, "sessions") if other == "sqlite" else reading(services):
        begun = monotonic()
        assert [admin.get("/runs/").status_code for _ in range(5)] == [200] * 5
        assert monotonic() - begun < 2.0 + 2 * MARGIN


@contextmanager
def reading(services: Services) -> Iterator[None]:
    """Another connection lets PostgreSQL's table be read, but not be written."""
    url = make_url(services.settings.database).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as other:
        other.execute("LOCK TABLE sessions IN EXCLUSIVE MODE")
        yield
        other.rollback()
