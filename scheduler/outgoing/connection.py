"""urllib3's connection, over a socket to a permitted address.

One connection and no pool, so there are no redirects, proxies, further attempts or cookies to
switch off. The caller looks the name up and connects, in urllib3's place.
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
"""The path given to urllib3, whose log may show it; the real path may contain secrets."""


class JudgedConnection(HTTPConnection):
    """Connection for plain HTTP over the given socket, and over no other."""

    def __init__(self, target: Target, sock: socket.socket, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self.sock = sock
        self._path = target.path

    def connect(self) -> NoReturn:
        """Refuse to connect: where the socket is gone, urllib3 would look the name up again."""
        raise ConnectionResetError("the connection is closed")

    def putrequest(
        self,
        method: str,
        url: str,
        skip_host: bool = False,
        skip_accept_encoding: bool = False,
    ) -> None:
        """Begin a request, with the target's path as in the URL."""
        super().putrequest(method, self._path, skip_host, skip_accept_encoding)


class JudgedTlsConnection(JudgedConnection):
    """Connection for HTTPS over a socket after its TLS handshake."""

    default_port: ClassVar[int] = PORTS["https"]  # type: ignore[misc]  # no ClassVar in http.client


def connection_over(
    sock: socket.socket, target: Target, seconds: float, trust: ssl.SSLContext | None
) -> JudgedConnection:
    """A connection to the target over `sock`, after the TLS handshake for https.

    `seconds` limit each read and write. The certificate must be valid for the target's name, which
    is sent in the handshake. Raises OSError, including ssl.SSLError.
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
    """Send a request and read the head of the answer. Returns the response with its body unread.

    The body is not decompressed. The given headers are sent beside `Host`,
    `Accept-Encoding: identity` and, with a body, `Content-Length`. Raises OSError, http.client's
    HTTPException and urllib3's HTTPError.
    """
    names = {name.lower() for name in headers}
    agent = {} if "user-agent" in names else {"User-Agent": SKIP_HEADER}
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
