"""Renewal of a worker's claims on the messages taken from Redis.

kombu over Redis keeps a taken and not acknowledged message in a sorted set with the time of taking,
and gives a message older than `visibility_timeout` back. Without renewal the time-out has to exceed
the longest job. Renewing the times while the worker lives keeps long jobs, and retries that wait
for their time, from being run twice while the time-out is short; a short time-out brings a dead
worker's messages back soon. Brokers with acknowledgements of their own (RabbitMQ) need no renewal.
"""

from typing import Any

from scheduler.celery_app import internals
from scheduler.storage.server_time import seconds_of


def renew(consumer: Any) -> int:
    """Renew the claims of a worker's consumer. Returns the number of unacknowledged messages.

    0 where the broker is not Redis, or the channel is closed. The times are the server's, as in the
    claiming transport; kombu compares them with its host's clock. Only messages still in the set
    are touched: an acknowledged message must not come back. Raises the errors of the Redis client.
    """
    unacked = internals.unacked_messages(consumer)
    if unacked is None:
        return 0
    if unacked.tags:
        renew_by(unacked.channel, unacked)
    return len(unacked.tags)


def renew_by(channel: Any, unacked: internals.UnackedMessages) -> None:
    """Renew claims by the connection of a channel, which need not be the consumer's."""
    with channel.conn_or_acquire() as client:
        times = dict.fromkeys(unacked.tags, seconds_of(client.time()))
        client.zadd(unacked.index_key, times, xx=True)
