"""A real server: neither a frozen Redis nor pages without an end hold its threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from time import monotonic

import pytest

from scheduler.clock import utc_now
from scheduler.services.services import Services
from tests.support.console import Console
from tests.support.ports import free_port, listens
from tests.support.processes import Process, env_of
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for
from tests.support.webadmin.visitor import PASSWORD

MARGIN = 2.0
"""Seconds for everything but the waiting, on a machine with other work."""


@pytest.fixture
def port(services: Services, valkey: ValkeyServer) -> Iterator[int]:
    """The port of the console; Redis is thawed at the end."""
    yield free_port()
    valkey.thaw()


def test_neither_a_frozen_redis_nor_pages_without_an_end_hold_the_threads(
    services: Services, valkey: ValkeyServer, port: int
) -> None:
    services.accounts.create("admin@example.org", PASSWORD, "admin", now=utc_now())
    web = Process(
        "gunicorn",
        "tests.support.webadmin.burning:create()",
        "--bind",
        f"127.0.0.1:{port}",
        "--worker-class",
        "webadmin.sockets.worker.PatientWorker",
        "--threads",
        "16",
        "--no-control-socket",
        env=env_of(services.settings),
    )
    wait_for(lambda: listens(port), 60, "the console listens")
    console = Console(f"http://127.0.0.1:{port}")
    console.login("admin@example.org", PASSWORD)

    with ThreadPoolExecutor(4) as visitors:
        burning = [visitors.submit(console.get, "/jobs/") for _ in range(2)]
        waiting = [visitors.submit(console.get, "/calendars/") for _ in range(2)]
        for page in burning:
            assert page.result().status == 503
            assert "more processor time than any request needs" in page.result().text
        for page in waiting:
            assert page.result().status == 503
            assert "This takes too long" in page.result().text
    assert console.get("/schedules/").status == 200
    assert "GET '/jobs/' has used its 0.5 s of processor time and is ended" in web.log
    assert "GET '/calendars/' takes longer than its 1 s" in web.log

    valkey.freeze()
    with ThreadPoolExecutor(20) as visitors:
        answers = [visitors.submit(console.get, "/schedules/") for _ in range(20)]
        health = [_health(port) for _ in range(5)]
        assert {answer.result().status for answer in answers} == {503}
    assert [status for status, _ in health] == [200] * 5
    assert max(took for _, took in health) < 1.0 + MARGIN
    valkey.thaw()
    wait_for(lambda: console.get("/schedules/").status == 200, 10, "the page comes back")


def _health(port: int) -> tuple[int, float]:
    begun = monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status, monotonic() - begun
    finally:
        connection.close()
