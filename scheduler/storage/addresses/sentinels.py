"""Addresses of Redis Sentinel in kombu's form. Pure.

    sentinel://:password@one:26379/0;sentinel://two:26379

Login and database number are given in the first part, and belong to the Redis servers behind
Sentinel. Sentinels with a password of their own are not supported, nor is TLS.
"""

import re
from typing import NamedTuple
from urllib.parse import quote

from scheduler.storage.addresses.parts import AddressFault, split, whole_number

SCHEME = "sentinel://"
PORT = 26379
EACH_PART = "each part, with ; between, must be sentinel://host:port"
NO_OPTIONS: frozenset[str] = frozenset()

_NEXT = re.compile(r";(?=[A-Za-z][A-Za-z0-9+.-]*://)|;(?=[\w.-]+(?::[0-9]+)?(?:/|;|$))")
"""The `;` before the next Sentinel; another `;` belongs to a password."""


class Sentinels(NamedTuple):
    """The Sentinels as (host, port), with login and database of the Redis servers behind."""

    places: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None
    db: int

    @property
    def for_kombu(self) -> str:
        """Return the address for kombu, with the login in every part: kombu may use any part."""
        return ";".join(
            f"{SCHEME}{self._login}{host}:{port}/{self.db}" for host, port in self.places
        )

    def for_limits(self, master: str) -> str:
        """Return the address for flask-limiter's storage; `master` is the name of the primary."""
        places = ",".join(f"{host}:{port}" for host, port in self.places)
        return f"redis+{SCHEME}{self._login}{places}/{master}"

    @property
    def _login(self) -> str:
        if self.password is None:
            return ""
        return f"{quote(self.username or '', safe='')}:{quote(self.password, safe='')}@"


def is_sentinel(address: str) -> bool:
    """Whether `address` is an address of Redis Sentinel."""
    return address.startswith(SCHEME)


def read(address: str) -> Sentinels:
    """Return the parts of an address. Raises AddressFault."""
    texts = [text.strip() for text in _NEXT.split(address) if text.strip()]
    if not texts or any(not is_sentinel(text) for text in texts):
        raise AddressFault(EACH_PART)
    parts = [split(text.removesuffix(";"), NO_OPTIONS) for text in texts]
    if any(not part.host for part in parts):
        raise AddressFault(EACH_PART)
    if any(part.username or part.password is not None for part in parts[1:]):
        raise AddressFault("the login stands in the first part only, and is the same for all")
    first = parts[0]
    number = whole_number(first.path.strip("/") or "0", "the database behind its /")
    places = tuple((part.host, part.port or PORT) for part in parts)
    return Sentinels(places, first.username, first.password, number)
