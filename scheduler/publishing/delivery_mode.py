"""Which way messages take to their queues: in the transaction itself, or by the outbox.

`atomic`: the broker is the very database that the schedules are in. `outbox`: it is anything else.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from kombu.exceptions import KombuError
from redis import Redis
from redis.exceptions import RedisError

from scheduler.publishing.calls import Way
from scheduler.publishing.timeouts import ANSWER_SECONDS, within

if TYPE_CHECKING:
    from celery import Celery

T = TypeVar("T")

log = logging.getLogger(__name__)


def choose(app: "Celery", redis: "Redis", patience: float = ANSWER_SECONDS) -> Way:
    """Ask both servers who they are; the broker for as many seconds as `patience`, however it does
    not answer.

    Raises redis.RedisError where that of the schedules does not answer.
    """
    ours = _place(redis)
    try:
        theirs = ask(app, _place, patience)
    except (RedisError, KombuError, OSError) as error:
        log.warning(
            "beat: the broker does not say who it is, messages take the way by the outbox: %s",
            error,
        )
        theirs = None
    return "atomic" if theirs == ours else "outbox"


def ask(
    app: "Celery", question: Callable[["Redis"], T], patience: float = ANSWER_SECONDS
) -> "T | None":
    """What the broker answers, asked once; none for a broker that is no Redis, which is not even
    connected to.

    Raises redis.RedisError, kombu.exceptions.KombuError and OSError where it does not answer in
    `patience` seconds.
    """
    connection = app.connection_for_write()
    if connection.transport.driver_type != "redis":
        return None  # kombu would wait for it, however long it is away
    return within(patience, lambda: _asked(connection, question), lambda _: None)


def _asked(connection: Any, question: Callable[["Redis"], T]) -> "T | None":
    with connection:
        # Asks once; the way by the connection waits and asks again, for longer than a lock may
        # live.
        channel: Any = connection.transport.create_channel(connection.transport)
        try:
            client = getattr(channel, "client", None)
            return question(client) if isinstance(client, Redis) else None
        finally:
            channel.close()


def _place(client: Any) -> tuple[str, int]:
    """The life of a server, and the number of the database."""
    server: Any = client.info("server")
    return str(server["run_id"]), int(client.connection_pool.connection_kwargs.get("db") or 0)
