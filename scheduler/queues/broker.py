"""Questions to the broker, each with a time limit for the answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from redis import Redis

from scheduler.queues.timeouts import ANSWER_SECONDS, call_with_timeout

if TYPE_CHECKING:
    from celery import Celery

T = TypeVar("T")


def query_broker(
    app: "Celery", query: Callable[["Redis"], T], patience: float = ANSWER_SECONDS
) -> "T | None":
    """Return the result of `query` on the broker's client, tried once.

    None for a broker other than Redis, which is not even connected to. Raises redis.RedisError,
    kombu.exceptions.KombuError and OSError where the broker does not answer in `patience` seconds.
    """
    connection = app.connection_for_write()
    if connection.transport.driver_type != "redis":
        return None  # kombu would wait for it, however long it is away
    return call_with_timeout(patience, lambda: _query(connection, query), lambda _: None)


def visit_broker(app: "Celery", act: Callable[[Any], T], patience: float) -> T:
    """Return the result of `act` on a kombu connection to a broker other than Redis.

    Raises TimeoutError after `patience` seconds, and the errors of kombu.
    """
    connection: Any = app.connection_for_write()

    def visit() -> T:
        with connection:
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            return act(connection)

    return call_with_timeout(patience, visit, lambda _: None)


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
