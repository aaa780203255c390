"""One HTTP request to another server: to a permitted address, within a deadline, with a limit on
the answer.

The name is looked up once, and the connection goes to the judged address: a changed resolution a
moment later (DNS rebinding) gains nothing. The certificate and the `Host` header are for the name.
Redirects are answers like any other, and proxies of the environment are not used. The transport is
urllib3's, loaded with the first request.
"""

import http.client
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING

from scheduler.errors import BeatdeskError, Refused
from scheduler.outgoing.addresses import Target, judged
from scheduler.outgoing.deadline import Deadline, cut_off
from scheduler.settings.http_allowlist import Opened

if TYPE_CHECKING:
    from urllib3 import HTTPResponse

LARGEST = 65_536
"""Most bytes returned of an answer's body."""

SECONDS = 5.0
"""Default limit, from the look-up of the name to the last byte of the answer."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""RFC 9110, 5.6.2: a token."""

_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""RFC 9110, 5.5: no line break, also none of the obsolete folds, which http.client would send."""

Lookup = Callable[[str, int], list[str]]


class Unanswered(BeatdeskError):
    """The server gave no complete answer in time."""

    field = "url"


@dataclass(frozen=True, slots=True)
class Request:
    """A request: method, target, headers, and perhaps a body."""

    method: str
    target: Target
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer to a request. `body` has at most `LARGEST` bytes, `cut` is True for a longer one;
    `address` is the server's, `seconds` the time from the look-up to the last byte.
    """

    status: int
    reason: str
    content_type: str
    body: bytes
    cut: bool
    address: str
    seconds: float


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host by the machine's resolver, each once. Raises OSError."""
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
    """Send a request. Returns the answer, whatever the status.

    `seconds` limit the whole request, from the look-up to the last byte. `trust` replaces the
    machine's trusted certificates. Raises Refused for a forbidden address and for an invalid
    header, Unanswered without a complete answer in time.
    """
    from urllib3.exceptions import HTTPError

    deadline = Deadline(seconds)
    target = request.target
    _check_headers(request.headers)
    try:
        addresses = judged(_looked_up(lookup, target, deadline), target, opened)
        sock, address = _connected(addresses, target.port, deadline)
        with sock, cut_off(sock, deadline):
            return _exchange(request, sock, address, deadline, trust)
    except (OSError, http.client.HTTPException, HTTPError) as error:
        cause = _cause(error)
        late = f"no whole answer within {seconds:g} s"
        reason = late if _is_late(cause, deadline) else _reason(cause)
        raise Unanswered(f"{target.place}: {reason}") from error


def _check_headers(headers: Mapping[str, str]) -> None:
    """Refuse headers whose text would begin another header or another request.

    The refusal does not repeat the value, perhaps a secret.
    """
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise Refused(
                f"headers: {name[:60]!r} is not the name of a header; write letters, digits and -",
                field="headers",
            )
        if not _HEADER_VALUE.fullmatch(value):
            raise Refused(
                f"headers: the value of {name[:60]} is not one line of Latin 1; leave out line "
                "breaks and signs of other scripts",
                field="headers",
            )


def _looked_up(lookup: Lookup, target: Target, deadline: Deadline) -> list[str]:
    """The host's addresses, within the deadline: the resolver has no time-out, so the look-up runs
    in a separate thread.
    """
    answers: list[list[str] | OSError] = []

    def look() -> None:
        try:
            answers.append(lookup(target.host, target.port))
        except UnicodeError:
            answers.append(OSError("the name cannot be looked up"))
        except OSError as error:
            answers.append(error)

    thread = Thread(target=look, name="look-up", daemon=True)
    thread.start()
    thread.join(deadline.left())
    if not answers:
        raise TimeoutError
    if isinstance(answers[0], OSError):
        raise answers[0]
    return answers[0]


def _connected(addresses: list[str], port: int, deadline: Deadline) -> tuple[socket.socket, str]:
    """A connection to the first accepting address, with the address; each address gets an equal
    share of the remaining time.
    """
    for number, address in enumerate(addresses, 1):
        share = deadline.left() / (len(addresses) - number + 1)
        try:
            return socket.create_connection((address, port), timeout=share), address
        except OSError:
            if number == len(addresses):
                raise
    raise OSError("no address to connect to")


def _exchange(
    request: Request,
    sock: socket.socket,
    address: str,
    deadline: Deadline,
    trust: ssl.SSLContext | None,
) -> Answer:
    """Send the request over the connection and read the answer."""
    from scheduler.outgoing.connection import connection_over, exchange

    with closing(connection_over(sock, request.target, deadline.left(), trust)) as connection:
        response = exchange(connection, request.method, request.headers, request.body)
        with closing(response):
            body = _read(response)
    if deadline.over():
        raise TimeoutError
    return Answer(
        status=response.status,
        reason=response.reason or "",
        content_type=response.headers.get("Content-Type", ""),
        body=body[:LARGEST],
        cut=len(body) > LARGEST,
        address=address,
        seconds=round(deadline.spent(), 3),
    )


def _read(response: "HTTPResponse") -> bytes:
    """The body, up to one byte more than `LARGEST`."""
    body = bytearray()
    while len(body) <= LARGEST and (piece := response.read(LARGEST + 1 - len(body))):
        body += piece
    return bytes(body)


def _cause(error: BaseException) -> BaseException:
    """Python's own error inside of urllib3's, or the error itself."""
    while type(error).__module__.startswith("urllib3.") and error.__cause__ is not None:
        error = error.__cause__
    return error


def _is_late(error: BaseException, deadline: Deadline) -> bool:
    return isinstance(error, TimeoutError) or deadline.over()


_NO_HTTP = "the answer is not HTTP"

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ConnectionRefusedError, "the connection was refused; nobody listens there"),
    (http.client.RemoteDisconnected, "the server closed the connection without an answer"),
    (http.client.IncompleteRead, "the server closed the connection in the middle of its answer"),
    (ConnectionError, "the server closed the connection"),
    (http.client.HTTPException, _NO_HTTP),
)


def _reason(error: BaseException) -> str:
    """Reason of an error in words, without any part of the request."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid for it: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return f"the name cannot be looked up: {error.strerror}"
    words = next((words for kind, words in _REASONS if isinstance(error, kind)), None)
    if words is not None:
        return words
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return _NO_HTTP  # an error of urllib3's own, such as two lengths
