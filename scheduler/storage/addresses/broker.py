"""Addresses of Celery's broker and result back end, with the options beside. Pure."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from scheduler.storage.addresses import redis_address, sentinels, tls
from scheduler.storage.addresses.parts import AddressFault, seconds, split, whole_number
from scheduler.storage.addresses.tls import Tls

AMQP = frozenset({"amqp", "amqps", "pyamqp"})
AMQP_OPTIONS = frozenset({"heartbeat", "connect_timeout", "login_method"})


@dataclass(frozen=True)
class BrokerAddress:
    """A broker for Celery: `url`, `use_ssl` and `transport_options` are Celery's settings."""

    url: str
    use_ssl: dict[str, Any] | None = None
    transport_options: dict[str, Any] = field(default_factory=dict)
    tls: Tls | None = None


def read(address: str) -> BrokerAddress:
    """Return the broker of an address, or of several with `;` between. Raises AddressFault.

    The address of a broker other than Redis and RabbitMQ is left as it is: kombu reads it.
    """
    if sentinels.is_sentinel(address):
        return BrokerAddress(sentinels.read(address).for_kombu)
    brokers = [_one(part) for part in address.split(";") if part] or [_one(address)]
    first = brokers[0]
    if any(broker.tls != first.tls for broker in brokers):
        raise AddressFault("its parts, with ; between, differ in their TLS")
    return BrokerAddress(
        ";".join(broker.url for broker in brokers),
        first.use_ssl,
        first.transport_options,
        first.tls,
    )


def check(address: str) -> None:
    """Raise AddressFault for an address that cannot be used."""
    read(address)


def _one(address: str) -> BrokerAddress:
    scheme = address.partition("://")[0].lower()
    if redis_address.is_redis(address):
        redis = redis_address.read(address)
        use_ssl = None if redis.tls is None else redis.tls.for_redis()
        return BrokerAddress(redis.for_kombu, use_ssl, dict(redis.timeouts), redis.tls)
    if scheme in AMQP and "://" in address:
        return _amqp(address)
    return BrokerAddress(address)


def _amqp(address: str) -> BrokerAddress:
    parts = split(address, AMQP_OPTIONS | tls.OPTIONS)
    is_secure = parts.scheme == "amqps"
    if tls.is_named_in(parts.options) and not is_secure:
        raise AddressFault("options of TLS need amqps:// before the host")
    if "heartbeat" in parts.options:
        whole_number(parts.options["heartbeat"], "heartbeat")
    if "connect_timeout" in parts.options:
        seconds(parts.options["connect_timeout"], "connect_timeout")
    login = ""
    if parts.username is not None or parts.password is not None:
        password = "" if parts.password is None else f":{quote(parts.password, safe='')}"
        login = f"{quote(parts.username or '', safe='')}{password}@"
    host = f"[{parts.host}]" if ":" in parts.host else parts.host
    port = "" if parts.port is None else f":{parts.port}"
    virtual_host = quote(parts.path[1:], safe="/")
    options = {name: parts.options[name] for name in sorted(AMQP_OPTIONS & parts.options.keys())}
    query = f"?{urlencode(options)}" if options else ""
    path = f"/{virtual_host}" if parts.path else ""
    secure = tls.read(parts.options) if is_secure else None
    return BrokerAddress(
        f"{parts.scheme}://{login}{host}{port}{path}{query}",
        None if secure is None else secure.for_amqp(parts.host),
        {},
        secure,
    )
