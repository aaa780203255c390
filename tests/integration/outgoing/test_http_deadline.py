"""The deadline of a request: every part of it is left when the time is up."""

import socket
import ssl
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from scheduler.outgoing.http import Request, Unanswered, ask
from tests.support.listeners import Behaviour, certificate, listening, says
from tests.support.outgoing.requests import LOOPBACK, at, get


def drip(first: bytes, piece: bytes) -> Behaviour:
    def behave(connection: socket.socket, over: Event) -> None:
        connection.sendall(first)
        while not over.wait(0.05):
            connection.sendall(piece)

    return behave


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"", b""),
        (b"H", b"T"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"."),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"),
    ],
    ids=["silence", "status", "headers", "body", "chunks"],
)
def test_a_server_that_drips_is_left_when_the_time_is_up(first: bytes, piece: bytes) -> None:
    began = monotonic()
    with (
        listening(drip(first, piece)) as server,
        pytest.raises(Unanswered, match=r"whole answer|not an answer"),
    ):
        get(server, seconds=0.8)
    assert monotonic() - began < 3


def test_a_handshake_that_never_ends_is_left_when_the_time_is_up() -> None:
    began = monotonic()
    hello = drip(b"\x16\x03\x03\x40\x00", b"\x02")
    with (
        listening(hello) as server,
        pytest.raises(Unanswered, match=r"no whole answer within 0\.8 s"),
    ):
        ask(Request("GET", at(server.port, scheme="https")), LOOPBACK, seconds=0.8)
    assert monotonic() - began < 3


def test_a_resolver_that_does_not_answer_is_left_when_the_time_is_up() -> None:
    over = Event()

    def silent(host: str, port: int) -> list[str]:
        over.wait(30)
        return []

    with pytest.raises(Unanswered, match=r"within 0\.3 s"):
        ask(Request("GET", at(1)), LOOPBACK, seconds=0.3, lookup=silent)
    over.set()


def test_a_request_that_nobody_reads_is_left_when_the_time_is_up() -> None:
    """The server takes the connection and reads nothing: the system's buffers fill, and sending
    waits.
    """
    began = monotonic()
    with socket.create_server(("127.0.0.1", 0)) as server:
        request = Request("POST", at(server.getsockname()[1]), body=b"x" * 32_000_000)
        with pytest.raises(Unanswered, match=r"no whole answer within 0\.8 s"):
            ask(request, LOOPBACK, seconds=0.8)
    assert monotonic() - began < 3


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
    ids=["with a length", "until it hangs up"],
)
def test_a_body_that_drips_under_tls_is_left_when_the_time_is_up(
    tmp_path: Path, first: bytes
) -> None:
    """Each byte comes well before any time-out of a single read."""
    server_side, file = certificate(tmp_path, "shop.example")
    trust = ssl.create_default_context(cafile=str(file))
    began = monotonic()
    with listening(drip(first, b"."), tls=server_side) as server:
        request = Request("GET", at(server.port, host="shop.example", scheme="https"))
        with pytest.raises(Unanswered, match=r"no whole answer within 0\.8 s"):
            ask(request, LOOPBACK, seconds=0.8, lookup=lambda *_: ["127.0.0.1"], trust=trust)
    assert monotonic() - began < 3


def test_the_time_is_that_of_all_parts_together() -> None:
    """The look-up, the handshake and the answer each stay below the bound; their sum does not."""

    def slow(host: str, port: int) -> list[str]:
        Event().wait(0.6)
        return ["127.0.0.1"]

    def behave(connection: socket.socket, over: Event) -> None:
        over.wait(0.6)
        says("200 OK", b"late")(connection, over)

    with listening(behave) as server:
        request = Request("GET", at(server.port, host="slow.example"))
        assert ask(request, LOOPBACK, seconds=5, lookup=slow).body == b"late"
        with pytest.raises(Unanswered, match=r"no whole answer within 1 s"):
            ask(request, LOOPBACK, seconds=1, lookup=slow)
