"""The host allow-list: a request under another name is refused, before anything reads it.

A page on the internet can let its own name point to 127.0.0.1 (DNS rebinding) and so have a
visitor's browser read whatever is served there under any name.
"""

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from scheduler.settings.schema import Settings
from scheduler.settings.web_names import host
from webadmin.front.answers import refusal
from webadmin.front.proxies import PROBES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK = ("localhost", ".localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound


LONGEST = 260
"""Characters of a name with a port."""

_LABEL = r"[a-z0-9_-]{1,63}"
_HEADER = re.compile(
    rf"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>{_LABEL}(?:\.{_LABEL})*\.?))(?::[0-9]{{1,5}})?"
)


class Hosts:
    """A WSGI application that refuses other hosts with 421, in front of another one."""

    def __init__(self, application: "WSGIApplication", settings: Settings) -> None:
        self._application = application
        self._names = {host(name) for name in settings.allowed_hosts}
        self._takes_addresses = False
        if settings.environment == "development":
            self._names.update(LOOPBACK)
            if settings.web_host in EVERYWHERE:
                # An address in the place of a name cannot be rebound.
                self._takes_addresses = True
                self._names.add(socket.gethostname().lower())
            else:
                self._names.add(host(settings.web_host))

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer the request, or refuse its host with 421."""
        name = name_of(environ.get("HTTP_HOST") or environ.get("SERVER_NAME", ""))
        is_probe = environ.get("PATH_INFO") in PROBES
        if is_probe:  # whoever asks with a login would make it wait for the database
            environ.pop("HTTP_COOKIE", None)
            environ.pop("HTTP_AUTHORIZATION", None)
        if is_probe and not name:
            environ["HTTP_HOST"] = "localhost"  # Flask answers 500 to a text that is no host
        if is_probe or self._is_allowed(name):
            return self._application(environ, start_response)
        text = (
            f"This console is not served as {name[:80]!a}. Use its own address, or have its "
            "operator add the name to BEATDESK_ALLOWED_HOSTS."
        )
        return refusal(421, text, start_response)

    def _is_allowed(self, name: str) -> bool:
        if name in self._names:
            return True
        if is_address(name):
            return self._takes_addresses or (
                "127.0.0.1" in self._names and ip_address(name).is_loopback
            )
        parts = name.split(".")
        return any("." + ".".join(parts[place:]) in self._names for place in range(1, len(parts)))


def name_of(header: str) -> str:
    """Return the host of a header `Host`: without the port, in small letters, IPv6 bare.

    Empty for a text that is no host with a port.
    """
    found = _HEADER.fullmatch(header.strip().lower()[: LONGEST + 1])
    if found is None or len(found[0]) > LONGEST:
        return ""
    if found["six"] is not None:
        return str(ip_address(found["six"])) if is_address(found["six"]) else ""
    name = found["name"].removesuffix(".")
    return name if _is_decodable(name) else ""


def _is_decodable(name: str) -> bool:
    """Whether labels such as `xn--…` stand for something: Werkzeug fails on others."""
    try:
        name.encode("ascii").decode("idna")
    except UnicodeError:
        return False
    return True


def is_address(name: str) -> bool:
    """Whether a host is an address, not a name."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
