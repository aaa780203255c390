"""Which internal places requests may go to, as `HTTP_ALLOW` says it. Pure: texts in, places and networks out."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

_PLACE = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s\[\]:/@]+):(?P<port>[0-9]{1,5})")


class Opened(NamedTuple):
    """Places (host in lower case, and port), whatever address they have, and networks, on any port."""

    places: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()


def opened(entries: Sequence[str]) -> Opened:
    """What entries such as `intranet:8080` and `10.1.0.0/16` open. Raises ValueError with the entry that is neither."""
    places: set[tuple[str, int]] = set()
    networks: list[IPv4Network | IPv6Network] = []
    for entry in entries:
        place = _PLACE.fullmatch(entry)
        if place and 0 < int(place["port"]) < 65536:
            places.add((place["host"].strip("[]").lower(), int(place["port"])))
            continue
        try:
            networks.append(ip_network(entry))
        except ValueError:
            raise ValueError(f"{entry!r} is neither host:port nor a network such as 10.1.0.0/16") from None
    return Opened(frozenset(places), tuple(networks))
