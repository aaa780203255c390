"""A worker's claim on the messages it holds, renewed while it lives, so that a dead worker's come
back soon.

Celery over Redis keeps what a worker has taken and not acknowledged in a list with the time of
taking, and gives back what is older than `visibility_timeout`. By itself that time-out has to
exceed the longest job. Renewing the time keeps long jobs (and retries that wait for their moment)
from being run twice while the time-out is short. Brokers with real acknowledgements (RabbitMQ) need
nothing of this. Reads kombu's innards: kombu is pinned, and a test holds a worker to it.
"""

from datetime import datetime
from typing import Any


def renew(consumer: Any, now: datetime) -> int:
    """Renew the claims of a worker's consumer; how many there are. Raises what the client raises.

    `now` is this host's clock, because it is what kombu wrote and will compare with. Only entries
    that are still there are touched: an acknowledged message must not come back. A channel that is
    closed, as while the broker is away, remembers messages but knows no way to the broker any more.
    """
    task_consumer = getattr(consumer, "task_consumer", None)
    channel = getattr(task_consumer, "channel", None)
    qos = getattr(channel, "_qos", None)
    index = getattr(qos, "unacked_index_key", None)
    if channel is None or qos is None or index is None or channel.closed:
        return 0
    held = list(qos._delivered)
    if held:
        with channel.conn_or_acquire() as client:
            client.zadd(index, dict.fromkeys(held, now.timestamp()), xx=True)
    return len(held)
