"""Renewal of a worker's claims on the messages that it has taken from Redis.

kombu over Redis keeps a message that a worker has taken and not acknowledged in a sorted set with
the time of taking, and gives a message back that is older than `visibility_timeout`. By itself
this time-out has to exceed the longest job. Renewing the times while the worker lives keeps long
jobs, and retries that wait for their moment, from being run twice while the time-out is short, so
that a dead worker's messages come back soon. Brokers with acknowledgements of their own (RabbitMQ)
need none of this.
"""

from typing import Any

from scheduler.celery_app import internals
from scheduler.storage.server_time import seconds_of


def renew(consumer: Any) -> int:
    """Renew the claims of a worker's consumer. Returns the number of its unacknowledged messages.

    0 where the broker is not Redis, or its channel is closed. The times are the server's, as those
    of the claiming transport; kombu compares them with its host's clock. Only messages that are
    still in the set are touched: an acknowledged message must not come back. Raises what the Redis
    client raises.
    """
    unacked = internals.unacked_messages(consumer)
    if unacked is None:
        return 0
    if unacked.tags:
        with unacked.channel.conn_or_acquire() as client:
            times = dict.fromkeys(unacked.tags, seconds_of(client.time()))
            client.zadd(unacked.index_key, times, xx=True)
    return len(unacked.tags)
