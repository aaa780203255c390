"""Requests to listeners on loopback, which a test's setting opens."""

from scheduler.outgoing.addresses import Target, target_of
from scheduler.outgoing.http import Answer, Request, ask
from scheduler.settings.http_allowlist import opened
from tests.support.listeners import Listener

LOOPBACK = opened(["127.0.0.0/8"])
SECONDS = 3.0


def at(port: int, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> Target:
    return target_of(f"{scheme}://{host}:{port}{path}")


def get(listener: Listener, path: str = "/", seconds: float = SECONDS) -> Answer:
    return ask(Request("GET", at(listener.port, path)), LOOPBACK, seconds=seconds)
