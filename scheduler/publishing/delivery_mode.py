"""The delivery mode of messages: in the transaction itself, or by the outbox.

`atomic`: broker and schedules share one Redis database. `outbox`: the broker is another server or
database.
"""

import logging
from typing import TYPE_CHECKING, Any

from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from scheduler.publishing.calls import Way
from scheduler.queues.broker import query_broker
from scheduler.queues.timeouts import ANSWER_SECONDS

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis

log = logging.getLogger(__name__)


def choose(app: "Celery", redis: "Redis", patience: float = ANSWER_SECONDS) -> Way:
    """Return the delivery mode, by comparing the identities of the broker and the schedules' Redis.

    Waits for the broker for `patience` seconds at most; a broker that does not answer means
    `outbox`. Raises redis.RedisError where the schedules' server does not answer.
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


def _identity(client: Any) -> tuple[str, int]:
    """The id of a server's run, and the number of the database."""
    server: Any = client.info("server")
    return str(server["run_id"]), int(client.connection_pool.connection_kwargs.get("db") or 0)
