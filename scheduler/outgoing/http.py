"""One request to another server, which cannot be led astray: to an address that was judged, until a
deadline, and with a bound on the answer.

The name is looked up once and the connection goes to what was judged, so that a name which answers
otherwise the next moment gains nothing. The certificate and the `Host` header are those of the
name. Redirects are answers like any other, and proxies of the environment are not asked.
`http.client` does just this and no more.
"""

import http.client
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Thread, Timer
from time import monotonic

from scheduler.errors import BeatdeskError
from scheduler.outgoing.addresses import Target, judged
from scheduler.settings.http_allowlist import Opened

LARGEST = 65_536
"""Bytes of an answer's body that are read."""

SECONDS = 5.0
"""From the look-up of the name to the last byte of the answer, at most."""

PIECE = 8192

Lookup = Callable[[str, int], list[str]]


class Unanswered(BeatdeskError):
    """No answer came, or not a whole one in time."""

    field = "url"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked."""

    method: str
    target: Target
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is cut at `LARGEST` bytes, and `cut` says so; `address` is the one
    that was asked.
    """

    status: int
    reason: str
    content_type: str
    body: bytes
    cut: bool
    address: str
    seconds: float


class Deadline:
    """A moment on the steady clock until which everything has to be done."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left; raises TimeoutError where there are none."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def over(self) -> bool:
        """Whether the time is up."""
        return monotonic() >= self._end

    def spent(self) -> float:
        """Seconds since the beginning."""
        return self.seconds - (self._end - monotonic())


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, as the machine's resolver answers. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def ask(
    request: Request,
    opened: Opened,
    *,
    seconds: float = SECONDS,
    lookup: Lookup = look_up,
    trust: ssl.SSLContext | None = None,
) -> Answer:
    """The answer to a request, whatever its status. Raises Refused (the address may not be asked)
    and Unanswered.
    """
    deadline = Deadline(seconds)
    target = request.target
    try:
        addresses = judged(_looked_up(lookup, target, deadline), target, opened)
        sock, address = _connected(addresses, target.port, deadline)
        with sock, _cut_off(sock, deadline):
            return _exchange(request, sock, address, deadline, trust)
    except (OSError, http.client.HTTPException) as error:
        why = f"no whole answer within {seconds:g} s" if _late(error, deadline) else _reason(error)
        raise Unanswered(f"{target.place}: {why}") from error


def _looked_up(lookup: Lookup, target: Target, deadline: Deadline) -> list[str]:
    """The host's addresses. A resolver may take longer than we wait, so it is asked in a thread
    that may be left.
    """
    answers: list[list[str] | OSError] = []

    def look() -> None:
        try:
            answers.append(lookup(target.host, target.port))
        except (OSError, UnicodeError) as error:
            answers.append(
                error if isinstance(error, OSError) else OSError("the name cannot be asked for")
            )

    thread = Thread(target=look, name="look-up", daemon=True)
    thread.start()
    thread.join(deadline.left())
    if not answers:
        raise TimeoutError
    if isinstance(answers[0], OSError):
        raise answers[0]
    return answers[0]


def _connected(addresses: list[str], port: int, deadline: Deadline) -> tuple[socket.socket, str]:
    """A connection to the first address that takes one; each gets its share of the time."""
    for number, address in enumerate(addresses, 1):
        share = deadline.left() / (len(addresses) - number + 1)
        try:
            return socket.create_connection((address, port), timeout=share), address
        except OSError:
            if number == len(addresses):
                raise
    raise OSError("no address to connect to")


@contextmanager
def _cut_off(sock: socket.socket, deadline: Deadline) -> Iterator[None]:
    """End the connection when the time is up: a server that sends a byte now and then would outlast
    any time-out of a single read. The second handle stays valid when TLS takes the first one over.
    """
    with sock.dup() as handle:

        def end() -> None:
            with suppress(OSError):  # the other side was faster
                handle.shutdown(socket.SHUT_RDWR)

        timer = Timer(deadline.left(), end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _exchange(
    request: Request,
    sock: socket.socket,
    address: str,
    deadline: Deadline,
    trust: ssl.SSLContext | None,
) -> Answer:
    """Send the request over the connection and read the answer."""
    target = request.target
    sock.settimeout(deadline.left())
    connection: http.client.HTTPConnection
    if target.scheme == "https":
        context = trust or ssl.create_default_context()
        connection = http.client.HTTPSConnection(target.host, target.port, context=context)
        connection.sock = context.wrap_socket(sock, server_hostname=target.host.rstrip("."))
    else:
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = sock
    try:
        connection.request(request.method, target.path, request.body, dict(request.headers))
        answer = connection.getresponse()
        body = _read(answer)
    finally:
        connection.close()
    if deadline.over():
        raise TimeoutError
    kind = answer.getheader("Content-Type", "") or ""
    return Answer(
        answer.status,
        answer.reason,
        kind,
        body[:LARGEST],
        len(body) > LARGEST,
        address,
        round(deadline.spent(), 3),
    )


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The body, up to one byte more than is kept."""
    body = bytearray()
    while len(body) <= LARGEST and (piece := answer.read(min(PIECE, LARGEST + 1 - len(body)))):
        body += piece
    if len(body) <= LARGEST and answer.length:
        raise http.client.IncompleteRead(b"", answer.length)
    return bytes(body)


def _late(error: Exception, deadline: Deadline) -> bool:
    return isinstance(error, TimeoutError) or deadline.over()


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ConnectionRefusedError, "the connection was refused; nobody listens there"),
    (http.client.RemoteDisconnected, "the server closed the connection without an answer"),
    (http.client.IncompleteRead, "the server closed the connection in the middle of its answer"),
    (ConnectionError, "the server closed the connection"),
    (http.client.HTTPException, "what came is not an answer of HTTP"),
)


def _reason(error: Exception) -> str:
    """What went wrong, in words; nothing of the request is in them."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid for it: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return f"the name cannot be looked up: {error.strerror}"
    known = next((words for kind, words in _REASONS if isinstance(error, kind)), None)
    return known or getattr(error, "strerror", None) or type(error).__name__
