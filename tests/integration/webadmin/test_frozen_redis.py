"""A frozen Redis: no page waits for long, `/healthz` and `/readyz` answer, and all comes back."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPConnection
from time import monotonic

import pytest
from flask import Flask

from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.support.commands import Commands
from tests.support.console import Console
from tests.support.ports import free_port, listens
from tests.support.processes import Process, env_of
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for
from tests.support.webadmin.visitor import PASSWORD, Visitor
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


def test_many_requests_to_a_frozen_server_stop_nobody(
    services: Services, frozen: Callable[[], None]
) -> None:
    services.accounts.create("admin@example.org", PASSWORD, "admin", now=utc_now())
    port = free_port()
    Process("beatdesk", "web", "--bind", f"127.0.0.1:{port}", env=env_of(services.settings))
    wait_for(lambda: listens(port), 60, "the console listens")
    console = Console(f"http://127.0.0.1:{port}")
    console.login("admin@example.org", PASSWORD)
    assert console.get("/schedules/").status == 200
    frozen()
    assert console.get("/schedules/").status == 503
    with ThreadPoolExecutor(20) as visitors:
        answers = [visitors.submit(console.get, "/schedules/") for _ in range(20)]
        health = [_health(port) for _ in range(5)]
        assert {answer.result().status for answer in answers} == {503}
    assert [status for status, _ in health] == [200] * 5
    assert max(took for _, took in health) < 1.0 + MARGIN


def _health(port: int) -> tuple[int, float]:
    begun = monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status, monotonic() - begun
    finally:
        connection.close()
