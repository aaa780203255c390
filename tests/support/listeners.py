"""Servers that speak, drip, lie or hang up as a test says: one thread, one connection after the
other, on loopback.
"""

import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

from tests.support.needs import missing

Behaviour = Callable[[socket.socket, Event], None]
"""Answers a request on its connection; the event is set when the server ends."""


class Listener:
    """A server on one address; `requests` holds the request of each connection."""

    def __init__(
        self,
        behave: Behaviour,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ):
        self.requests: list[str] = []
        self._behave = behave
        self._tls = tls
        self._over = Event()
        self._socket = socket.create_server((host, port))
        self._socket.settimeout(0.1)
        self.port: int = self._socket.getsockname()[1]
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(10)
        self._socket.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._socket.accept()
                with connection, contextlib.suppress(OSError):
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        speaking = (
            connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True)
        )
        with speaking:
            self.requests.append(_request(speaking))
            self._behave(speaking, self._over)


@contextlib.contextmanager
def listening(behave: Behaviour, **options: object) -> Iterator[Listener]:
    """A server for the time of a block."""
    listener = Listener(behave, **options)  # type: ignore[arg-type]
    try:
        yield listener
    finally:
        listener.stop()


def says(status: str, body: bytes = b"", *headers: str) -> Behaviour:
    """Answer with this status and body, and hang up."""

    def behave(connection: socket.socket, over: Event) -> None:
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)

    return behave


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A certificate for `name`, and the file by which clients trust the server. Needs openssl."""
    key, file = folder / f"{name}.key", folder / f"{name}.pem"
    if shutil.which("openssl") is None:
        missing("there is no openssl to make a certificate with")
    kind = [
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    files = ["-keyout", str(key), "-out", str(file)]
    subprocess.run(["openssl", "req", *kind, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context, file


def _request(connection: socket.socket) -> str:
    """The head of a request, and its body as far as `Content-Length` says."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = connection.recv(65_536)
        if not piece:
            return raw.decode("latin-1")
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    lengths = [
        line.split(b":")[1]
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    while lengths and len(body) < int(lengths[0]) and (piece := connection.recv(65_536)):
        body += piece
    return (head + b"\r\n\r\n" + body).decode("latin-1")
