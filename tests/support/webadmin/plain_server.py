"""A small application under the console's worker, with little time for clients, and slow clients.

`gunicorn tests.support.webadmin.plain_server:application` serves `/healthz`, `/echo` (the length
of the body), `/big` (BIG bytes), `/broken` (an answer that ends in an error) and `/held` (an answer when the process gets SIGUSR2).
"""

import signal
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from webadmin.sockets.connection import Times
from webadmin.sockets.worker import PatientWorker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BIG = 6_000_000
_released = threading.Event()


class HoldingWorker(PatientWorker):
    """The worker, with a signal that ends requests to `/held`."""

    def init_signals(self) -> None:
        super().init_signals()
        signal.signal(signal.SIGUSR2, lambda *_: _released.set())


class HurriedWorker(HoldingWorker):
    """The same, with little time for clients."""

    times = Times(head=1, body=1, answer=1, leaving=0.5)


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer a request."""
    path = environ["PATH_INFO"]
    if path == "/held":
        _released.wait(60)
    if path == "/echo":
        body = str(len(environ["wsgi.input"].read())).encode()
    else:
        body = b"a" * BIG if path == "/big" else path.encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    if path == "/broken":
        return _broken(body)
    return [body[place : place + 8192] for place in range(0, len(body), 8192)]


def _broken(body: bytes) -> Iterator[bytes]:
    yield body[:1]
    raise ValueError("the application breaks off")


def connect(port: int, first: bytes = b"", receive_buffer: int = 0) -> socket.socket:
    """A connection over which the first bytes were sent."""
    client = socket.socket()
    if receive_buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    client.sendall(first)
    return client


def talk(port: int, request: bytes) -> bytes:
    """Everything that the server says before it closes the connection."""
    with connect(port, request) as client:
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    """Everything that comes before the end of the connection."""
    parts: list[bytes] = []
    while True:
        try:
            part = client.recv(65_536)
        except ConnectionResetError:
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


@contextmanager
def slow_clients(port: int, number: int, first: bytes, **how: Any) -> Iterator[list[socket.socket]]:
    """Clients that have sent the first bytes of a request, and go on when the test says so."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(port, first, **how)) for _ in range(number)]


def dribble(clients: Iterable[socket.socket]) -> None:
    """Send one more byte of each request; clients whose connection has ended are passed over."""
    for client in clients:
        try:
            client.send(b"a")
        except OSError:
            continue
