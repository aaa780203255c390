"""The Redis client for schedules and events: to one server, or to the primary of a Sentinel.

A certificate of TLS is verified, unless the address switches that off by name.
"""

from typing import TYPE_CHECKING, Any

from scheduler.storage.addresses import redis_address, sentinels

if TYPE_CHECKING:
    from redis import Redis

CONNECT_SECONDS = 2
ANSWER_SECONDS = 10


def connect(address: str, master: str) -> "Redis":
    """Return a client with replies as text.

    `master` is the name of the primary, for a `sentinel://` address. The client connects with the
    first command, and again after a failover. It waits for what is left of the caller's
    `waiting_time`; without one for ANSWER_SECONDS. Raises AddressFault for an unusable address.
    """
    from scheduler.storage import packing

    options: dict[str, Any] = {
        "decode_responses": True,
        # An entry with bytes other than UTF-8 must not hide the other entries.
        **packing.options(),
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "health_check_interval": 30,
    }
    from scheduler.storage.bounded_connections import SentinelRetry, bound

    if not sentinels.is_sentinel(address):
        from redis import Redis

        single = Redis.from_url(redis_address.read(address).for_client, **options)
        bound(single.connection_pool)
        return single
    from redis.sentinel import Sentinel

    parts = sentinels.read(address)
    servers = Sentinel(
        parts.places,
        sentinel_kwargs={
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": CONNECT_SECONDS,
            "retry": SentinelRetry(),
        },
        username=parts.username,
        password=parts.password,
        db=parts.db,
        **options,
    )  # type: ignore[no-untyped-call]
    for sentinel in servers.sentinels:
        bound(sentinel.connection_pool, is_directory=True)
    client: Redis = servers.master_for(master)  # type: ignore[no-untyped-call]
    bound(client.connection_pool)
    return client


def redbeat_options(address: str, master: str) -> dict[str, Any]:
    """Return the Celery settings that point RedBeat to the server of `connect`.

    The settings of celery-redbeat 2.4 are `redbeat_redis_url` and `redbeat_redis_options`.
    """
    from scheduler.storage import packing

    if not sentinels.is_sentinel(address):
        return {
            "redbeat_redis_url": redis_address.read(address).for_client,
            "redbeat_redis_options": {
                "socket_connect_timeout": CONNECT_SECONDS,
                "socket_timeout": ANSWER_SECONDS,
                "health_check_interval": 10,
                # A name with bytes other than UTF-8 must not stop the reading of all due entries.
                **packing.options(),
            },
        }
    parts = sentinels.read(address)
    login = {"username": parts.username, "password": parts.password}
    return {
        "redbeat_redis_url": "redis-sentinel://",
        "redbeat_redis_options": {
            "sentinels": list(parts.places),
            "service_name": master,
            "db": parts.db,
            "socket_timeout": CONNECT_SECONDS,
            "sentinel_kwargs": {
                "socket_connect_timeout": CONNECT_SECONDS,
                "socket_timeout": CONNECT_SECONDS,
            },
            **{name: value for name, value in login.items() if value is not None},
        },
    }
