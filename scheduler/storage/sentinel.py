"""Addresses of Redis Sentinel in kombu's form. Pure.

    sentinel://:password@one:26379/0;sentinel://two:26379

Login and database number are given in the first part, and belong to the Redis servers behind
Sentinel. Sentinels with a password of their own are not supported.
"""

from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

SCHEME = "sentinel://"
PORT = 26379


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


def check(address: str) -> None:
    """Raise ValueError for a malformed address of Sentinel; other addresses pass."""
    if is_sentinel(address):
        read(address)


def read(address: str) -> Sentinels:
    """Return the parts of an address. Raises ValueError with the fault."""
    parts = [urlsplit(text.strip()) for text in address.split(";") if text.strip()]
    if not parts or any(part.scheme != "sentinel" or not part.hostname for part in parts):
        raise ValueError("each part, with ; between, must be sentinel://host:port")
    if any("@" in part.netloc for part in parts[1:]):
        raise ValueError("the login stands in the first part only, and is the same for all")
    first = parts[0]
    number = first.path.strip("/") or "0"
    if not number.isdecimal():
        raise ValueError(f"{number!r} is no number of a database")
    password = None if first.password is None else unquote(first.password)
    places = tuple((str(part.hostname), part.port or PORT) for part in parts)
    return Sentinels(places, unquote(first.username or "") or None, password, int(number))
