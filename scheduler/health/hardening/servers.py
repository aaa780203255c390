"""Hardening of the servers: passwords, logins and TLS of Redis, the broker and SQL."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from scheduler.health.status import Part
from scheduler.history import login_rights, outage
from scheduler.services.services import Services
from scheduler.settings.errors import PREFIX, without_password
from scheduler.settings.private_files import rights_of_others
from scheduler.settings.schema import Settings
from scheduler.storage.addresses import broker as broker_address
from scheduler.storage.addresses import redis_address, sentinels
from scheduler.storage.addresses.tls import Tls

if TYPE_CHECKING:
    from redis import Redis

PATIENCE = 3.0
"""Seconds that the server may take for an answer to somebody without a login."""

_DEFAULT_LOGIN = "default"
_WRITE = 0o002
_UNVERIFIED = "TLS without a verified certificate: anybody between can pass for the server"
_AGAIN = "Bring it back, and run doctor again"


def redis(services: Services) -> list[Part]:
    """Return the parts of the Redis of the schedules: password, login, TLS."""
    address = services.settings.redis_url
    try:
        is_local, tls = _place(address)
        return [
            _redis_password(services),
            _redis_login(services, is_local=is_local),
            _tls("redis tls", address, tls, is_local=is_local, setting="REDIS_URL"),
        ]
    except RedisError as error:
        return [Part(name="redis password", ok=False, summary=str(error), remedy=_AGAIN)]


def broker(settings: Settings) -> list[Part]:
    """Return the parts of a broker of its own, by its address; none where Redis is the broker."""
    address = settings.broker_url
    if address is None or address == settings.redis_url:
        return []
    is_local, tls = _place(address)
    has_password = without_password(address) != address
    return [
        Part(
            name="broker password",
            ok=has_password,
            summary=f"{without_password(address)}, {'with' if has_password else 'without'} one",
            remedy=""
            if has_password
            else f"Give the broker a login for Beatdesk, and {PREFIX}BROKER_URL its password",
        ),
        _tls("broker tls", address, tls, is_local=is_local, setting="BROKER_URL"),
    ]


def sql(services: Services) -> list[Part]:
    """Return the parts of PostgreSQL: TLS, and what else the login may do; none for SQLite."""
    try:
        facts = login_rights.read(services.engine)
    except Exception as error:
        reason = outage.reason(error)
        if reason is None:
            raise
        return [Part(name="sql login", ok=False, summary=reason, remedy=_AGAIN)]
    if facts is None:
        return []
    is_local = is_local_host(facts.host)
    is_private = is_local or (facts.uses_tls and facts.is_verified)
    tls_remedy = f"Add ?sslmode=verify-full to {PREFIX}DATABASE_URL, and let the server use TLS"
    words = _tls_words(uses_tls=facts.uses_tls, is_local=is_local)
    if facts.uses_tls and not is_private:
        words = _UNVERIFIED
    login_remedy = (
        "Make a login that owns Beatdesk's database and can do nothing else: "
        f"ALTER ROLE {facts.login} {' '.join(f'NO{power}' for power in facts.powers)}"
    )
    return [
        Part(
            name="sql tls",
            ok=is_private,
            summary=words,
            remedy="" if is_private else tls_remedy,
        ),
        Part(
            name="sql login",
            ok=not facts.powers,
            summary=f"{facts.login}, {', '.join(facts.powers) or 'without further rights'}",
            remedy=login_remedy if facts.powers else "",
        ),
    ]


def is_local_host(host: str) -> bool:
    """Whether a host is this machine: a loopback address or name, or the path of a socket."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host in ("", "localhost") or host.startswith("/")


def _place(address: str) -> tuple[bool, Tls | None]:
    """Whether every server of an address is on this machine, and its TLS."""
    if sentinels.is_sentinel(address):
        return all(is_local_host(host) for host, _ in sentinels.read(address).places), None
    if redis_address.is_redis(address):
        redis = redis_address.read(address)
        return redis.socket is not None or is_local_host(redis.host), redis.tls
    hosts = [
        part.partition("://")[2].rpartition("@")[2].partition("/")[0] for part in address.split(";")
    ]
    names = [host.rpartition(":")[0].strip("[]") or host for host in hosts]
    return all(map(is_local_host, names)), broker_address.read(address).tls


def _redis_password(services: Services) -> Part:
    """Whether the server answers nobody without a login."""
    name = "redis password"
    remedy = (
        "Set requirepass, or `user default off` and logins (config/redis-acl.conf), and put the "
        f"password into {PREFIX}REDIS_URL"
    )
    socket = _socket(services.settings.redis_url)
    if socket is not None and not rights_of_others(socket) & _WRITE:
        return Part(name=name, ok=True, summary=f"{socket} is closed to other users")
    with _stranger(services) as stranger:
        try:
            stranger.ping()
        except (AuthenticationError, NoPermissionError, ResponseError):
            return Part(name=name, ok=True, summary="asked for")
    summary = "none: whoever reaches the server may start any job"
    return Part(name=name, ok=False, summary=summary, remedy=remedy)


def _socket(address: str) -> Path | None:
    if sentinels.is_sentinel(address):
        return None
    socket = redis_address.read(address).socket
    return None if socket is None else Path(socket)


def _stranger(services: Services) -> "Redis":
    """A client of the server without a login."""
    from redis import Redis

    waits: dict[str, Any] = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    address = services.settings.redis_url
    if sentinels.is_sentinel(address):
        pool = cast("Any", services.redis.connection_pool)
        host, port = pool.get_master_address()
        return Redis(host=host, port=port, **waits)
    place = replace(redis_address.read(address), username=None, password=None)
    return Redis.from_url(place.for_client, **waits)


def _redis_login(services: Services, *, is_local: bool) -> Part:
    """Whether the login has the rights of its role only.

    On one machine with one user, all processes can read each other's login.
    """
    name = "redis login"
    try:
        login = str(services.redis.acl_whoami())
    except ResponseError:
        return Part(name=name, ok=True, summary="one that may not tell its name")
    if login != _DEFAULT_LOGIN:
        return Part(name=name, ok=True, summary=login)
    if is_local:
        return Part(name=name, ok=True, summary="default, with all rights, on this machine")
    return Part(
        name=name,
        ok=False,
        summary="default, with all rights: each process may do what every other may",
        remedy="Give each process a login of its own: config/redis-acl.conf has them",
    )


def _tls(name: str, address: str, tls: Tls | None, *, is_local: bool, setting: str) -> Part:
    """Whether nobody between can read or change what is sent."""
    if tls is not None and not tls.is_verified:
        return Part(
            name=name,
            ok=False,
            summary=_UNVERIFIED,
            remedy=f"Take ssl_cert_reqs and ssl_check_hostname out of {PREFIX}{setting}, and name "
            "the authority by ssl_ca_certs",
        )
    ok = tls is not None or is_local
    scheme = "amqps" if address.startswith("amqp") else "rediss"
    remedy = f"Let the server use TLS, and write {scheme}:// in {PREFIX}{setting}"
    if sentinels.is_sentinel(address):
        remedy = "Keep Redis and its Sentinels in a private network: TLS is not supported there"
    summary = _tls_words(uses_tls=tls is not None, is_local=is_local)
    return Part(name=name, ok=ok, summary=summary, remedy="" if ok else remedy)


def _tls_words(*, uses_tls: bool, is_local: bool) -> str:
    if uses_tls:
        return "TLS"
    return "none, on this machine" if is_local else "none: whoever is between reads and changes all"
