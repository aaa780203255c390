"""Which way messages take to their queues: in the transaction itself, or by the outbox.

`atomic`: the broker is the very database that the schedules are in. `outbox`: it is anything else.
"""

import logging
from typing import TYPE_CHECKING, Any

from kombu.exceptions import KombuError
from redis import Redis
from redis.exceptions import RedisError

from scheduler.firing.calls import Way

if TYPE_CHECKING:
    from celery import Celery

log = logging.getLogger(__name__)


def choose(app: "Celery", redis: "Redis") -> Way:
    """Ask both servers who they are. Raises redis.RedisError where that of the schedules does not answer."""
    ours = _place(redis)
    try:
        with app.connection_for_write() as connection:
            transport = connection.transport
            if transport.driver_type != "redis":
                return "outbox"  # not even asked: kombu would wait for it, however long it is away
            # Asks once; the way by the connection waits and asks again, for longer than a lock may live.
            channel: Any = transport.create_channel(transport)
            client = getattr(channel, "client", None)
            theirs = _place(client) if isinstance(client, Redis) else None
            channel.close()
    except (RedisError, KombuError, OSError, NotImplementedError) as error:
        log.warning("beat: the broker does not say who it is, messages take the way by the outbox: %s", error)
        theirs = None
    return "atomic" if theirs == ours else "outbox"


def _place(client: Any) -> tuple[str, int]:
    """The life of a server, and the number of the database."""
    server: Any = client.info("server")
    return str(server["run_id"]), int(client.connection_pool.connection_kwargs.get("db") or 0)
