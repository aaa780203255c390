"""How messages are delivered to their queues: in the transaction itself, or by the outbox.

`atomic`: the broker is the very database that the schedules are in. `outbox`: it is another one.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from kombu.exceptions import KombuError
from redis import Redis
from redis.exceptions import RedisError

from scheduler.publishing.calls import Way
from scheduler.publishing.timeouts import ANSWER_SECONDS, call_with_timeout

if TYPE_CHECKING:
    from celery import Celery

T = TypeVar("T")

log = logging.getLogger(__name__)


def choose(app: "Celery", redis: "Redis", patience: float = ANSWER_SECONDS) -> Way:
    """The delivery mode for this broker and the schedules' Redis, by comparing their identities.

    Waits for the broker for `patience` seconds at most; where it does not answer it is `outbox`.
    Raises redis.RedisError where the schedules' server does not answer.
    """
    schedules = _identity(redis)
    try:
        broker = query_broker(app, _identity, patience)
    except (RedisError, KombuError, OSError) as error:
        log.warning(
            "beat: the broker does not answer, messages take the way by the outbox: %s",
            error,
        )
        broker = None
    return "atomic" if broker == schedules else "outbox"


def query_broker(
    app: "Celery", query: Callable[["Redis"], T], patience: float = ANSWER_SECONDS
) -> "T | None":
    """The result of `query` on the broker's client, tried once; None for a broker that is not
    Redis, which is not even connected to.

    Raises redis.RedisError, kombu.exceptions.KombuError and OSError where it does not answer in
    `patience` seconds.
    """
    connection = app.connection_for_write()
    if connection.transport.driver_type != "redis":
        return None  # kombu would wait for it, however long it is away
    return call_with_timeout(patience, lambda: _query(connection, query), lambda _: None)


def _query(connection: Any, query: Callable[["Redis"], T]) -> "T | None":
    with connection:
        # The transport tries once; the connection itself would try again, for longer than a lock
        # may live.
        channel: Any = connection.transport.create_channel(connection.transport)
        try:
            client = getattr(channel, "client", None)
            return query(client) if isinstance(client, Redis) else None
        finally:
            channel.close()


def _identity(client: Any) -> tuple[str, int]:
    """The id of a server's run, and the number of the database."""
    server: Any = client.info("server")
    return str(server["run_id"]), int(client.connection_pool.connection_kwargs.get("db") or 0)
