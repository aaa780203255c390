"""urllib3's connection, over a socket that leads to an address that was judged.

One connection and no pool: so there are no redirects, no proxies, no further attempts and no
cookies to switch off. What urllib3 would do before is done by the caller: look the name up,
connect.
"""

import socket
import ssl
from collections.abc import Mapping
from typing import ClassVar, NoReturn

from urllib3 import HTTPResponse
from urllib3.connection import HTTPConnection
from urllib3.util import SKIP_HEADER, ssl_wrap_socket

from scheduler.outgoing.addresses import PORTS, Target

WITHOUT_PATH = "/…"
"""What urllib3 takes for the path, as it may log it, and secrets may stand in it."""


class JudgedConnection(HTTPConnection):
    """A connection for plain HTTP, which sends to the socket that it is given and to no other."""

    def __init__(self, target: Target, sock: socket.socket, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self.sock = sock
        self._path = target.path

    def connect(self) -> NoReturn:
        """Refuse: urllib3 connects again where the socket is gone, to a name that it looks up."""
        raise ConnectionResetError("the connection is closed")

    def putrequest(
        self,
        method: str,
        url: str,
        skip_host: bool = False,
        skip_accept_encoding: bool = False,
    ) -> None:
        """Begin a request, with the target's path as it stands in the address."""
        super().putrequest(method, self._path, skip_host, skip_accept_encoding)


class JudgedTlsConnection(JudgedConnection):
    """The same under TLS, which the socket speaks already."""

    default_port: ClassVar[int] = PORTS["https"]  # type: ignore[misc]  # no ClassVar in http.client


def connection_over(
    sock: socket.socket, target: Target, seconds: float, trust: ssl.SSLContext | None
) -> JudgedConnection:
    """The connection for the target, after the TLS handshake where it is to have one.

    `seconds` bound each read and write. The certificate is that of the target's name, which is sent
    in the handshake. Raises OSError, ssl.SSLError among them.
    """
    sock.settimeout(seconds)
    if target.scheme == "http":
        return JudgedConnection(target, sock, seconds)
    secured = ssl_wrap_socket(
        sock,
        ssl_context=trust or ssl.create_default_context(),
        server_hostname=target.host.rstrip("."),
    )
    return JudgedTlsConnection(target, secured, seconds)


def exchange(
    connection: HTTPConnection,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
) -> HTTPResponse:
    """Send a request and read the head of the answer.

    The body is left to be read, and is not unpacked. Headers are sent as they are given, beside
    `Host`, `Accept-Encoding: identity` and, with a body, `Content-Length`. Raises OSError,
    http.client's HTTPException and urllib3's HTTPError.
    """
    given = {name.lower() for name in headers}
    agent = {} if "user-agent" in given else {"User-Agent": SKIP_HEADER}
    connection.request(
        method,
        WITHOUT_PATH,
        body,
        {**agent, **headers},
        preload_content=False,
        decode_content=False,
        enforce_content_length=True,
    )
    return connection.getresponse()
