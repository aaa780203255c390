"""Which internal places requests may go to, as `HTTP_ALLOW` says it. Pure: texts in, places and
networks out.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/@]+):(?P<port>[0-9]{1,5})")


class Opened(NamedTuple):
    """Places (host in lower case, and port), whatever address they have, and networks, on any
    port.
    """

    places: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()


def opened(entries: Sequence[str]) -> Opened:
    """What entries such as `intranet:8080` and `10.1.0.0/16` open. Raises ValueError with the entry
    that is neither.
    """
    each = [entry(text) for text in entries]
    return Opened(
        frozenset(one for one in each if isinstance(one, tuple)),
        tuple(one for one in each if not isinstance(one, tuple)),
    )


def entry(text: str) -> tuple[str, int] | IPv4Network | IPv6Network:
    """One entry of `HTTP_ALLOW`. Raises ValueError with what is wrong."""
    place = _PLACE.fullmatch(text)
    if place and 0 < int(place["port"]) < 65536:
        return place["host"].strip("[]").lower(), int(place["port"])
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither host:port nor a network such as 10.1.0.0/16"
        ) from None
