"""Addresses of Redis Sentinel, written as kombu writes them:
`sentinel://:password@one:26379/0;sentinel://two:26379`.

Login and number of the database stand in the first one, and are those of the servers that Sentinel
watches. Sentinels that want a password of their own are not supported. Pure.
"""

from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

SCHEME = "sentinel://"
PORT = 26379


class Sentinels(NamedTuple):
    """Where they listen, and how to log in at the servers that they watch."""

    places: tuple[tuple[str, int], ...]
    username: str | None
    password: str | None
    db: int

    @property
    def for_kombu(self) -> str:
        """The addresses, each with the login: kombu takes it from whichever one it is at."""
        return ";".join(
            f"{SCHEME}{self._login}{host}:{port}/{self.db}" for host, port in self.places
        )

    def for_limits(self, master: str) -> str:
        """The address as flask-limiter's storage reads it."""
        places = ",".join(f"{host}:{port}" for host, port in self.places)
        return f"redis+{SCHEME}{self._login}{places}/{master}"

    @property
    def _login(self) -> str:
        if self.password is None:
            return ""
        return f"{quote(self.username or '', safe='')}:{quote(self.password, safe='')}@"


def is_sentinel(address: str) -> bool:
    """Is it one of them?"""
    return address.startswith(SCHEME)


def check(address: str) -> None:
    """Raises ValueError where it is one of them, and cannot be used."""
    if is_sentinel(address):
        read(address)


def read(address: str) -> Sentinels:
    """The parts of an address. Raises ValueError with what is wrong."""
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
