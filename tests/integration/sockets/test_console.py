"""The console itself, while hundreds of clients hold its sockets."""

import http.client
from time import monotonic

from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.ports import free_port, listens
from tests.support.processes import Process, env_of
from tests.support.waiting import wait_for
from tests.support.webadmin.plain_server import dribble, slow_clients

MANY = 200
TRIES = 3

FORM = b"Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
SLOW = {
    "silent": (b"", {}),
    "in the head": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", {}),
    "in the body": (b"POST /login HTTP/1.1\r\n" + FORM + b"Content-Length: 5000\r\n\r\n", {}),
    "not reading": (
        b"GET /static/vendor/tabler/tabler.min.css HTTP/1.1\r\nHost: localhost\r\n\r\n",
        {"receive_buffer": 4096},
    ),
}


def seconds(port: int, path: str) -> float:
    """How long an answer takes, the shortest of a few; a machine may be busy once."""
    found = []
    for _ in range(TRIES):
        start = monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", path)
            assert connection.getresponse().status == 200
        finally:
            connection.close()
        found.append(monotonic() - start)
    return min(found)


def test_hundreds_of_slow_clients_hold_nobody_up(services: Services, settings: Settings) -> None:
    port = free_port()
    Process("beatdesk", "web", "--bind", f"127.0.0.1:{port}", env=env_of(settings), name="web")
    wait_for(lambda: listens(port), 60, "the console listens")
    wait_for(lambda: seconds(port, "/login") > 0, 20, "the console answers")
    times = {}
    for kind, (first, how) in SLOW.items():
        with slow_clients(port, MANY, first, **how) as clients:
            if kind.startswith("in the"):
                dribble(clients)
            times[kind] = (seconds(port, "/healthz"), seconds(port, "/login"))
    assert {
        kind: health < 1 and login < 2 for kind, (health, login) in times.items()
    } == dict.fromkeys(SLOW, True), times
