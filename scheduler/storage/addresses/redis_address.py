"""An address of one Redis or Valkey server, in the form of each library that connects. Pure.

    redis://user:password@host:6379/0        by network
    rediss://host:6379/0?ssl_ca_certs=FILE   by TLS
    unix:///folder/redis.sock?db=0           by a socket; redis+socket:// means the same

The libraries differ: kombu and Celery's result back end know no `unix://` and read the number of a
socket's database from `virtual_host`, and kombu refuses `?db=` and other options that redis-py
takes. So an address is read once here, and each library gets its own form.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from scheduler.storage.addresses import tls
from scheduler.storage.addresses.parts import (
    AddressFault,
    Parts,
    seconds,
    split,
    whole_number,
    yes_or_no,
)
from scheduler.storage.addresses.tls import Tls

SOCKETS = frozenset({"unix", "redis+socket", "socket", "redis+unix"})
SCHEMES = frozenset({"redis", "rediss"}) | SOCKETS
PORT = 6379
PLACE = frozenset({"db", "virtual_host", "username", "password"})
TIMEOUTS = frozenset(
    {"socket_timeout", "socket_connect_timeout", "health_check_interval", "socket_keepalive"}
)


@dataclass(frozen=True)
class RedisAddress:
    """The parts of an address; `tls` is None without TLS, `socket` the path of a socket."""

    host: str
    port: int
    socket: str | None
    username: str | None
    password: str | None
    db: int
    tls: Tls | None
    timeouts: tuple[tuple[str, float | bool], ...] = ()

    @property
    def for_client(self) -> str:
        """The address for `redis.Redis.from_url`, and so for RedBeat."""
        options: dict[str, Any] = {} if self.tls is None else self.tls.for_query()
        options |= {name: _text(value) for name, value in self.timeouts}
        if self.socket is not None:
            place = f"unix://{self._login}{quote(self.socket)}"
            return _with(place, {"db": str(self.db), **options})
        return _with(f"{self._scheme}://{self._login}{self._place}/{self.db}", options)

    @property
    def for_kombu(self) -> str:
        """The address for kombu and for Celery's result back end; TLS goes beside it."""
        if self.socket is not None:
            place = f"redis+socket://{self._login}{quote(self.socket)}"
            return _with(place, {"virtual_host": str(self.db)})
        return f"{self._scheme}://{self._login}{self._place}/{self.db}"

    @property
    def for_limits(self) -> str:
        """The address for the storage of flask-limiter."""
        address = self.for_client
        return address if self.socket is None else f"redis+{address}"

    @property
    def _scheme(self) -> str:
        return "redis" if self.tls is None else "rediss"

    @property
    def _login(self) -> str:
        if self.username is None and self.password is None:
            return ""
        password = "" if self.password is None else f":{quote(self.password, safe='')}"
        return f"{quote(self.username or '', safe='')}{password}@"

    @property
    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def is_redis(address: str) -> bool:
    """Whether the scheme of an address is that of a single Redis."""
    return address.partition("://")[0].lower() in SCHEMES


def read(address: str) -> RedisAddress:
    """Return the parts of an address. Raises AddressFault."""
    parts = split(address, PLACE | TIMEOUTS | tls.OPTIONS)
    if parts.scheme not in SCHEMES:
        raise AddressFault("it does not begin with redis://, rediss:// or unix://")
    options = parts.options
    if parts.scheme != "rediss" and tls.is_named_in(options):
        raise AddressFault("options of TLS need rediss:// before the host")
    is_socket = parts.scheme in SOCKETS
    if is_socket and parts.path in ("", "/"):
        raise AddressFault("the path of the socket is missing, as in unix:///run/redis.sock?db=0")
    if is_socket and (parts.host or parts.port):
        raise AddressFault(
            "the path of a socket begins with a third /, as in unix:///run/redis.sock?db=0"
        )
    return RedisAddress(
        host=parts.host or "localhost",
        port=parts.port or PORT,
        socket=parts.path if is_socket else None,
        username=parts.username or options.get("username") or None,
        password=options.get("password") if parts.password is None else parts.password,
        db=_database(parts, is_socket=is_socket),
        tls=tls.read(options) if parts.scheme == "rediss" else None,
        timeouts=tuple(
            (name, _timeout(name, options[name])) for name in sorted(TIMEOUTS & set(options))
        ),
    )


def _database(parts: Parts, *, is_socket: bool) -> int:
    """Return the number of the database, from the path or from an option."""
    texts = [parts.options[name] for name in ("db", "virtual_host") if name in parts.options]
    if not is_socket and (path := parts.path.strip("/")):
        texts.append(path)
    numbers = {
        whole_number(text.strip("/"), "the database behind its /, or its db,") for text in texts
    }
    if len(numbers) > 1:
        raise AddressFault("it names two databases, behind the / and as an option")
    return numbers.pop() if numbers else 0


def _timeout(name: str, text: str) -> float | bool:
    return yes_or_no(text, name) if name == "socket_keepalive" else seconds(text, name)


def _text(value: float | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if value == int(value) else str(value)


def _with(address: str, options: dict[str, str]) -> str:
    return f"{address}?{urlencode(options)}" if options else address
