"""Redis away, SQL away: every page loads, says what is wrong and what to do, and comes back by
itself.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from scheduler.health.status import status
from tests.support.valkey import ValkeyServer
from tests.support.webadmin.addresses import pages
from tests.support.webadmin.visitor import Visitor
from webadmin.stale_while_revalidate import StaleWhileRevalidate

LIVE_IN_REDIS = {"calendars", "dead_letters", "jobs", "schedules"}
"""Rooms whose pages cannot be shown without Redis."""


@pytest.fixture(autouse=True)
def _health_is_asked_for_each_time(app: Flask) -> None:
    app.extensions["health"] = StaleWhileRevalidate(status, timedelta(0))


def test_pages_of_the_past_load_without_redis_and_say_so(
    app: Flask, admin: Visitor, valkey: ValkeyServer
) -> None:
    past = {
        path: 404 if endpoint == "runs.show" else 200  # the run of the sample is not there
        for endpoint, path in pages(app).items()
        if endpoint.partition(".")[0] not in LIVE_IN_REDIS
    }
    assert {"/", "/runs/", "/reports/", "/changes/", "/users/"} <= past.keys()
    valkey.stop()
    answers = {path: admin.get(path) for path in past}
    assert {path: answer.status_code for path, answer in answers.items()} == past
    for path, answer in answers.items():
        assert "Redis is not well." in answer.text, path
        assert "BEATDESK_REDIS_URL" in answer.text, path
    assert "The next runs are not known" in answers["/"].text
    assert admin.get("/fragments/overview").status_code == 200


def test_what_lives_in_redis_says_that_redis_is_away(
    app: Flask, admin: Visitor, valkey: ValkeyServer
) -> None:
    live = {
        endpoint: path
        for endpoint, path in pages(app).items()
        if endpoint.partition(".")[0] in LIVE_IN_REDIS
    }
    assert {"/schedules/", "/schedules/sample/", "/schedules/new"} <= set(live.values())
    valkey.stop()
    for endpoint, path in live.items():
        page = admin.get(path)
        of_the_past = (
            {404} if endpoint == "schedules.revive" else set()
        )  # no such schedule was ever deleted
        assert page.status_code in {200, 503} | of_the_past, path
        assert "Redis" in page.text, path
        assert "Traceback" not in page.text, path


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_addresses_of_servers_are_for_administrators(
    app: Flask, logged_in: Callable[[str], Visitor], valkey: ValkeyServer, role: str
) -> None:
    somebody = logged_in(role)
    well = somebody.get("/").text
    valkey.stop()
    away = somebody.get("/").text + somebody.get("/runs/").text
    assert "Redis is not well." in away
    assert "BEATDESK_REDIS_URL" in away
    database = app.extensions["services"].settings.database
    for text, address in ((well, str(valkey.port)), (away, str(valkey.port)), (well, database)):
        assert (address in text) == (role == "admin")
    for path in pages(app).values():
        assert role == "admin" or str(valkey.port) not in somebody.get(path).text, path


def test_the_console_comes_back_with_redis(admin: Visitor, valkey: ValkeyServer) -> None:
    valkey.stop()
    assert "Redis is not well." in admin.get("/").text
    valkey.start()
    page = admin.get("/")
    assert "Redis is not well." not in page.text
    assert page.status_code == 200


def test_without_sql_a_page_says_what_to_do(visitor: Visitor, admin: Visitor, app: Flask) -> None:
    lose_sql(app)
    for path in pages(app).values():
        page = admin.get(path)
        assert page.status_code == 503, path
        assert "The database does not answer" in page.text, path
        assert "<code>beatdesk db upgrade</code>" in page.text, path
        assert "sqlite" not in page.text, path
    assert visitor.get("/login").status_code == 200
    refused = visitor.login("admin@example.org")
    assert refused.status_code == 503
    assert "nobody can log in" in refused.text


def test_the_process_lives_while_everything_else_is_away(
    visitor: Visitor, app: Flask, valkey: ValkeyServer
) -> None:
    valkey.stop()
    lose_sql(app)
    assert visitor.get("/healthz").get_json() == {"status": "ok"}
    ready = visitor.get("/readyz")
    assert ready.status_code == 503
    assert set(ready.get_json()["reasons"]) == {"beat", "recorder", "redis", "sql"}


def test_readiness_names_no_address_and_no_password(
    visitor: Visitor, app: Flask, valkey: ValkeyServer
) -> None:
    valkey.stop()
    lose_sql(app)
    text = json.dumps(visitor.get("/readyz").get_json())
    for secret in ("correct-horse", "sqlite", "redis://", str(valkey.port)):
        assert secret not in text


def test_a_fault_of_ours_shows_nothing_of_its_inside(
    app: Flask, admin: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("the inside")

    app.view_functions["runs.index"] = crash
    page = admin.get("/runs/")
    assert page.status_code == 500
    assert "This should not have happened" in page.text
    assert "the inside" not in page.text
    assert "the inside" in caplog.text


def lose_sql(app: Flask) -> None:
    """Put a folder where the database file was."""
    engine = app.extensions["services"].engine
    path = Path(str(engine.url.database))
    engine.dispose()
    for file in path.parent.glob(path.name + "*"):
        file.unlink()
    path.mkdir()


def test_health_asks_no_database_for_whoever_is_logged_in(app: Flask, operator: Visitor) -> None:
    statements: list[str] = []
    engine = app.extensions["services"].engine
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    assert operator.get("/account/").status_code == 200
    assert statements != []
    statements.clear()
    assert operator.get("/healthz").status_code == 200
    assert statements == []
