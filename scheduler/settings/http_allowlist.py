"""The internal hosts and networks to which requests may go: the setting `HTTP_ALLOW`. Pure."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/@]+):(?P<port>[0-9]{1,5})")


class Opened(NamedTuple):
    """Allowed places, as (host in lower case, port) with any address, and networks, on any port."""

    places: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()


def opened(entries: Sequence[str]) -> Opened:
    """Return the places and networks of entries such as `intranet:8080` and `10.1.0.0/16`.

    Raises ValueError with the malformed entry.
    """
    allowed = [entry(text) for text in entries]
    return Opened(
        frozenset(place for place in allowed if isinstance(place, tuple)),
        tuple(network for network in allowed if not isinstance(network, tuple)),
    )


def entry(text: str) -> tuple[str, int] | IPv4Network | IPv6Network:
    """Return a single entry of `HTTP_ALLOW`. Raises ValueError with the fault."""
    place = _PLACE.fullmatch(text)
    if place and 0 < int(place["port"]) < 65536:
        return place["host"].strip("[]").lower(), int(place["port"])
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither host:port nor a network such as 10.1.0.0/16"
        ) from None
