"""Renewal of a worker's claims on the messages that it has taken from Redis.

kombu over Redis keeps a message that a worker has taken and not acknowledged in a sorted set with
the time of taking, and gives a message back that is older than `visibility_timeout`. By itself
this time-out has to exceed the longest job. Renewing the times while the worker lives keeps long
jobs, and retries that wait for their moment, from being run twice while the time-out is short, so
that a dead worker's messages come back soon. Brokers with acknowledgements of their own (RabbitMQ)
need none of this.
"""

from datetime import datetime
from typing import Any

from scheduler.celery_app import internals


def renew(consumer: Any, now: datetime) -> int:
    """Renew the claims of a worker's consumer. Returns the number of its unacknowledged messages.

    0 where the broker is not Redis, or its channel is closed. `now` is this host's clock, because
    kombu wrote the times by it and compares them with it. Only messages that are still in the set
    are touched: an acknowledged message must not come back. Raises what the Redis client raises.
    """
    unacked = internals.unacked_messages(consumer)
    if unacked is None:
        return 0
    if unacked.tags:
        times = dict.fromkeys(unacked.tags, now.timestamp())
        with unacked.channel.conn_or_acquire() as client:
            client.zadd(unacked.index_key, times, xx=True)
    return len(unacked.tags)
