"""Comparison of brokers by their addresses. Pure."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

_PORTS = {"redis": 6379, "sentinel": 26379, "amqp": 5672}
_FAMILIES = {
    "redis": "redis",
    "rediss": "redis",
    "sentinel": "sentinel",
    "amqp": "amqp",
    "amqps": "amqp",
    "pyamqp": "amqp",
}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class _Place(NamedTuple):
    family: str
    host: str
    port: int | None
    name: str
    """Redis's database number, or RabbitMQ's virtual host."""


def are_same_broker(first: str, second: str) -> bool:
    """Return whether two addresses, as in Celery's `broker_url`, lead to one broker.

    Logins and options do not count. Names of hosts are not looked up: two names of one host differ.
    Of several addresses (`redis://a;redis://b`) a single common address is enough.
    """
    return bool(_places(first) & _places(second))


def _places(addresses: str) -> set[_Place]:
    return {_place(address) for address in addresses.split(";") if address}


def _place(address: str) -> _Place:
    url = urlsplit(address)
    scheme = url.scheme.rpartition("+")[2]
    family = _FAMILIES.get(scheme, scheme)
    host = url.hostname or "localhost"
    name = unquote(url.path.removeprefix("/"))
    if family == "redis":
        name = name or "0"
    if family == "amqp":
        name = name or "/"
    return _Place(
        family,
        "localhost" if host in _LOOPBACK else host,
        url.port or _PORTS.get(family),
        name,
    )
