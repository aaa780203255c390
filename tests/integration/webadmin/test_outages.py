"""Redis away, SQL away: every page loads, says what is wrong and what to do, and comes back by
itself.
"""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from scheduler.health.status import status
from tests.integration.webadmin.conftest import Visitor
from tests.support.valkey import ValkeyServer
from webadmin.remembered import StaleWhileRevalidate

PAGES = {
    "/": 200,
    "/runs/": 200,
    "/reports/": 200,
    "/changes/": 200,
    "/users/": 200,
    "/fragments/overview": 200,
}


@pytest.fixture(autouse=True)
def _health_is_asked_for_each_time(app: Flask) -> None:
    app.extensions["health"] = StaleWhileRevalidate(status, timedelta(0))


def test_pages_of_the_past_load_without_redis_and_say_so(
    admin: Visitor, valkey: ValkeyServer
) -> None:
    valkey.stop()
    answers = {path: admin.get(path) for path in PAGES}
    assert {path: answer.status_code for path, answer in answers.items()} == PAGES
    for path in ("/", "/runs/", "/reports/", "/changes/", "/users/"):
        assert "Redis is not well." in answers[path].text, path
        assert "BEATDESK_REDIS_URL" in answers[path].text, path
    assert "The next runs are not known" in answers["/"].text


def test_schedules_say_that_redis_is_away(admin: Visitor, valkey: ValkeyServer) -> None:
    valkey.stop()
    for path in ("/schedules/", "/schedules/nightly/", "/schedules/new"):
        page = admin.get(path)
        assert page.status_code in {200, 503}
        assert "Redis" in page.text
        assert "Traceback" not in page.text


def test_the_console_comes_back_with_redis(admin: Visitor, valkey: ValkeyServer) -> None:
    valkey.stop()
    assert "Redis is not well." in admin.get("/").text
    valkey.start()
    page = admin.get("/")
    assert "Redis is not well." not in page.text
    assert page.status_code == 200


def test_without_sql_a_page_says_what_to_do(visitor: Visitor, admin: Visitor, app: Flask) -> None:
    lose_sql(app)
    for path in ("/", "/runs/", "/schedules/"):
        page = admin.get(path)
        assert page.status_code == 503
        assert "The database does not answer" in page.text
        assert "<code>beatdesk db upgrade</code>" in page.text
        assert "sqlite" not in page.text
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
