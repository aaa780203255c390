"""A frozen Redis: no page waits for long, `/healthz` and `/readyz` answer, and all comes back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from time import monotonic

import pytest
from flask import Flask

from scheduler.services.services import Services
from tests.support.commands import Commands
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for
from tests.support.webadmin.visitor import Visitor
from webadmin.health import read_health
from webadmin.stale_while_revalidate import StaleWhileRevalidate

PATHS = ("/", "/schedules/", "/calendars/", "/jobs/", "/runs/", "/schedules/new", "/dead-letters/")

MARGIN = 2.0
"""Seconds for everything but the waiting, on a machine with other work."""


@pytest.fixture
def frozen(valkey: ValkeyServer) -> Iterator[Callable[[], None]]:
    """Freezes the server until the end of the test."""
    yield valkey.freeze
    valkey.thaw()


def seconds(act: Callable[[], object]) -> float:
    """How long a call took."""
    begun = monotonic()
    act()
    return monotonic() - begun


def test_a_page_waits_once_and_the_next_pages_hardly(
    app: Flask, admin: Visitor, frozen: Callable[[], None], valkey: ValkeyServer
) -> None:
    app.extensions["health"] = StaleWhileRevalidate(read_health, timedelta(0))
    for path in PATHS:  # templates are compiled
        admin.get(path)
    frozen()
    assert seconds(lambda: admin.get("/schedules/")) < 2.0 + MARGIN
    took = {path: seconds(lambda path=path: admin.get(path)) for path in PATHS}
    assert max(took.values()) < 0.3 + MARGIN, took
    page = admin.get("/schedules/")
    assert page.status_code == 503
    assert page.headers["Retry-After"] == "5"
    valkey.thaw()
    wait_for(lambda: admin.get("/schedules/").status_code == 200, 10, "the page comes back")


def test_readiness_answers_with_the_reason(visitor: Visitor, frozen: Callable[[], None]) -> None:
    frozen()
    begun = monotonic()
    ready = visitor.get("/readyz")
    assert monotonic() - begun < 1.0 + MARGIN
    assert ready.status_code == 503
    assert "redis" in ready.get_json()["reasons"]


@pytest.mark.parametrize("is_connected", [True, False])
def test_the_command_for_the_state_says_what_could_not_be_asked(
    services: Services, frozen: Callable[[], None], is_connected: bool
) -> None:
    if is_connected:
        services.redis.ping()
    frozen()
    begun = monotonic()
    result = Commands(services)("status")
    assert monotonic() - begun < 5
    assert result.exit_code == 1
    assert "it does not answer in time" in result.stdout
    assert "sql       ok" in result.stdout
    assert result.stdout.count("not known: Redis does not answer") == 3
