"""Address, scheme, host and path prefix of a request: by the settings, never by a guess.

`X-Forwarded-For`, `-Proto` and `-Host` are believed where the connection comes from a proxy that
`BEATDESK_TRUSTED_PROXIES` names, and removed otherwise. The prefix is `BEATDESK_PATH_PREFIX`;
`SCRIPT_NAME`, which servers take from a header, is overwritten.
"""

import logging
import ssl
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from scheduler.settings.schema import Settings
from scheduler.settings.web_names import UNIX, proxy
from webadmin.front.answers import refusal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
)
ORIGINAL = "werkzeug.proxy_fix.orig"
"""Key of the connection's own address in the environment, by the name that Werkzeug has for it."""

PROBES = ("/healthz", "/readyz")
"""Paths that are served without the prefix too, and under any name: probes call an address past
the proxy, and the answers are no secret.
"""

MOST_WARNINGS = 20
"""Proxies without a setting that are named in the log, each once."""


class Proxies:
    """A WSGI application that corrects the environment of another one."""

    def __init__(self, application: "WSGIApplication", settings: Settings) -> None:
        self._application = application
        self._networks = [net for name in settings.trusted_proxies if (net := proxy(name))]
        self._trusts_unix = UNIX in settings.trusted_proxies
        self._prefix = settings.path_prefix or ""
        self._strangers: set[str] = set()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Correct the environment and answer, or refuse a path outside of the prefix with 404."""
        self._correct_origin(environ)
        environ["SCRIPT_NAME"] = ""
        path = environ.get("PATH_INFO", "")
        if not self._prefix or path in PROBES:
            return self._application(environ, start_response)
        if path == self._prefix:
            headers = [("Location", f"{self._prefix}/")]
            return refusal(308, "The console is below this path.", start_response, headers)
        if not path.startswith(f"{self._prefix}/"):
            text = f"The console is below {self._prefix}/ here, and nothing is outside of it."
            return refusal(404, text, start_response)
        environ["SCRIPT_NAME"] = self._prefix
        environ["PATH_INFO"] = path[len(self._prefix) :]
        return self._application(environ, start_response)

    def _correct_origin(self, environ: "WSGIEnvironment") -> None:
        """Set address, scheme and host, and remove every header about them."""
        peer = str(environ.get("REMOTE_ADDR") or "")
        environ[ORIGINAL] = {"REMOTE_ADDR": peer}
        headers = {name: str(environ.pop(name)) for name in FORWARDED if name in environ}
        environ["wsgi.url_scheme"] = _own_scheme(environ)
        if not headers:
            return
        if not self._is_trusted(peer):
            self._warn(peer or UNIX)
            return
        address = self._visitor(headers.get("HTTP_X_FORWARDED_FOR", ""))
        if address is not None:
            environ["REMOTE_ADDR"] = address
        if (scheme := _last(headers.get("HTTP_X_FORWARDED_PROTO", ""))) in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        if host := _last(headers.get("HTTP_X_FORWARDED_HOST", "")):
            environ["HTTP_HOST"] = host

    def _visitor(self, forwarded: str) -> str | None:
        """Return the last address in the header that is no trusted proxy; None without one.

        Everything left of it was written by a stranger.
        """
        for text in reversed(forwarded.split(",")):
            address = _address(text)
            if address is None:
                return None
            if not self._is_trusted(str(address)):
                return str(address)
        return None

    def _is_trusted(self, peer: str) -> bool:
        if not peer:
            return self._trusts_unix
        address = _address(peer)
        return address is not None and any(address in network for network in self._networks)

    def _warn(self, peer: str) -> None:
        if peer in self._strangers or len(self._strangers) >= MOST_WARNINGS:
            return
        self._strangers.add(peer)
        log.warning(
            "%s sends X-Forwarded headers, and is not in BEATDESK_TRUSTED_PROXIES: they are "
            "ignored. If it is your reverse proxy, name it there; until then all visitors behind "
            "it share its address and its limits",
            peer,
        )


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address, without a port and mapped addresses as IPv4; None for any other text."""
    name = text.strip()[:100]
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _last(text: str) -> str:
    """Return the last part of a list, which the nearest proxy has added."""
    return text.rpartition(",")[2].strip().lower()


def _own_scheme(environ: "WSGIEnvironment") -> str:
    """Return the scheme of the connection to the server, whatever a header told the server."""
    if "gunicorn.socket" in environ:
        return "https" if isinstance(environ["gunicorn.socket"], ssl.SSLSocket) else "http"
    return str(environ.get("wsgi.url_scheme", "http"))
