"""Judgement of addresses for requests. Pure; `http` looks names up.

The author of a schedule chooses the address, and the worker is inside the network: a request must
not reach the machine's own services, its neighbours or a cloud's metadata service (server-side
request forgery). So requests go to addresses of the public internet only (IANA's special-purpose
registries, as in `ipaddress.is_global`), and not to translated addresses. Internal targets are
opened by the setting `HTTP_ALLOW`, never by an argument.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from scheduler.errors import Refused
from scheduler.settings.http_allowlist import Opened

LONGEST = 2048
"""Most characters of an address."""

PORTS = {"http": 80, "https": 443}

TRANSLATED = {
    "::/96": "IPv4-compatible",
    "::ffff:0:0/96": "IPv4-mapped",
    "::ffff:0:0:0/96": "IPv4-translated",
    "64:ff9b::/96": "NAT64",
    "64:ff9b:1::/48": "NAT64",
    "2001::/32": "Teredo",
    "2002::/16": "6to4",
    "192.88.99.0/24": "6to4",
}
"""Networks with addresses that stand for others: RFC 4291, 2765, 6052, 8215, 4380, 3056
and 7526.
"""

METADATA = ("168.63.129.16",)
"""Addresses that look public, and are answered by the host under a virtual machine (Azure)."""

UNICAST = ip_network("2000::/3")
"""The part of IPv6 allocated by IANA for the public internet; `ipaddress` excludes only some of the
rest.
"""

RESERVED = ("192.0.0.0/24", "3fff::/20", "2001::/23")
"""Special-purpose networks, public for older versions of `ipaddress`."""

_RESERVED = [ip_network(network) for network in RESERVED]
_TRANSLATED = [(ip_network(network), name) for network, name in TRANSLATED.items()]
_ISATAP = (0x00005EFE, 0x02005EFE)
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\.?", re.IGNORECASE)
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")

Address = IPv4Address | IPv6Address


class Target(NamedTuple):
    """Target of a request. `host` is a name or a plain address without brackets; `path` includes
    the query.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """The target in messages: without path and query, because both may contain secrets."""
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"


def bracketed(host: str) -> str:
    """The host as in a URL: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def target_of(url: str) -> Target:
    """The target of a URL. Raises Refused for other than plain http(s), without repeating path,
    query or password.
    """
    if (
        not isinstance(url, str)
        or len(url) > LONGEST
        or not url.isascii()
        or re.search(r"[\x00-\x20\x7f\\]", url)
    ):
        raise _refused(f"is not up to {LONGEST} ASCII characters without spaces and backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _refused(f"cannot be read: {error}") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise _refused(f"starts with http:// or https://, not with {scheme[:20]!r}")
    if parts.username is not None or parts.password is not None:
        raise _refused("has no name and password in it; give them as a header")
    if port == 0:
        raise _refused("has a port from 1 to 65535")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, _host(parts), port or PORTS[scheme], path)


def refusal(text: str, target: Target, opened: Opened) -> str | None:
    """Reason against a request to an address of the target; None for a permitted address."""
    address = _address(text)
    if address is None:
        return f"{text[:80]!r} is not an address"
    if (target.host.lower(), target.port) in opened.places or any(
        address in network for network in opened.networks
    ):
        return None
    stands_for_another = _translation(address)
    if stands_for_another:
        return f"{address} stands for another address ({stands_for_another})"
    if str(address) in METADATA:
        return f"{address} is a cloud's metadata service"
    return None if _public(address) else f"{address} is not an address of the public internet"


def judged(addresses: Sequence[str], target: Target, opened: Opened) -> list[str]:
    """The addresses of the target's host, if all are permitted. Raises Refused otherwise: one
    forbidden address among several is enough.
    """
    if not addresses:
        raise Refused(f"{target.place}: the name has no address", field="url")
    for text in addresses:
        reason = refusal(text, target, opened)
        if reason is not None:
            raise Refused(
                f"{target.place}: {reason}; an internal target is opened by the setting "
                "BEATDESK_HTTP_ALLOW",
                field="url",
            )
    return list(addresses)


def _translation(address: Address) -> str | None:
    """Mechanism that translates the address into another; None for a plain address."""
    if isinstance(address, IPv6Address) and (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return "ISATAP"
    # ::1 and :: lie in the network of IPv4-compatible addresses, and are not such addresses.
    if address.is_loopback or address.is_unspecified:
        return None
    return next((name for network, name in _TRANSLATED if address in network), None)


def _public(address: Address) -> bool:
    """Whether the address is one host of the public internet."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return False
    return not any(address in network for network in _RESERVED)


def _host(parts: SplitResult) -> str:
    """The host, if a name or a plain address: other spellings serve to deceive."""
    host = parts.hostname or ""
    if "[" in parts.netloc:
        if _address(host) is None or "%" in host:
            raise _refused("has an IPv6 address that cannot be read")
        return host
    if _NUMERIC.fullmatch(host.rpartition(".")[2] or host.rstrip(".").rpartition(".")[2]):
        if _address(host) is None:
            raise _refused(
                "has a host made of numbers that is not a plain address such as 192.0.2.1"
            )
        return host
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise _refused("has no valid host name")
    return host


def _address(text: str) -> Address | None:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _refused(what: str) -> Refused:
    return Refused(f"url: the address {what}", field="url")
