"""The client for schedules and events: to one server, or to whichever one Redis Sentinel says is
the primary.
"""

from typing import TYPE_CHECKING, Any

from scheduler.storage import sentinel

if TYPE_CHECKING:
    from redis import Redis

CONNECT_SECONDS = 2
ANSWER_SECONDS = 10


def connect(address: str, master: str) -> "Redis":
    """A client, whose answers are text. Connects when it is first asked something, and anew after a
    failover.
    """
    options: dict[str, Any] = {
        "decode_responses": True,
        # One entry with bytes that are no text must not hide the others.
        "encoding_errors": "surrogateescape",
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "health_check_interval": 30,
    }
    if not sentinel.is_sentinel(address):
        from redis import Redis

        return Redis.from_url(address, **options)
    from redis.sentinel import Sentinel

    found = sentinel.read(address)
    watching = Sentinel(
        found.places,
        sentinel_kwargs={
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": CONNECT_SECONDS,
        },
        username=found.username,
        password=found.password,
        db=found.db,
        **options,
    )  # type: ignore[no-untyped-call]
    client: Redis = watching.master_for(master)  # type: ignore[no-untyped-call]
    return client


def redbeats_options(address: str, master: str) -> dict[str, Any]:
    """RedBeat's settings for the same server."""
    if not sentinel.is_sentinel(address):
        return {
            "redbeat_redis_url": address,
            "redbeat_redis_options": {
                "socket_connect_timeout": CONNECT_SECONDS,
                "socket_timeout": ANSWER_SECONDS,
                "health_check_interval": 10,
                # One name that is not UTF-8 must not stop every look.
                "encoding_errors": "surrogateescape",
            },
        }
    found = sentinel.read(address)
    login = {"username": found.username, "password": found.password}
    return {
        "redbeat_redis_url": "redis-sentinel://",
        "redbeat_redis_options": {
            "sentinels": list(found.places),
            "service_name": master,
            "db": found.db,
            "socket_timeout": CONNECT_SECONDS,
            "sentinel_kwargs": {
                "socket_connect_timeout": CONNECT_SECONDS,
                "socket_timeout": CONNECT_SECONDS,
            },
            **{name: value for name, value in login.items() if value is not None},
        },
    }
