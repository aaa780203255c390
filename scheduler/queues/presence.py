"""The messages that the broker has: by run where the broker is Redis, by count elsewhere."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from amqp.exceptions import NotFound

from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.queues.broker import query_broker, visit_broker
from scheduler.queues.contents import QueueReader

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis

PATIENCE = 20.0
"""Seconds that the broker may take to list or count the messages of the queues."""


class Presence(NamedTuple):
    """The messages with a broker."""

    runs: frozenset[str] | None
    """Runs with a message, in a queue or with a worker; None where the broker cannot list messages.
    """

    waiting: dict[str, int]
    """Number of waiting messages in each queue; 0 for a queue that the broker does not have."""

    missing_queues: frozenset[str] = frozenset()
    """Queues that the broker does not have, as far as the broker can say."""

    @property
    def can_list(self) -> bool:
        """Whether the broker lists messages."""
        return self.runs is not None

    def is_absent(self, run: str, queue: str | None) -> bool:
        """Return whether the broker has no message of the run, as far as the broker can say.

        With a broker that only counts, absent means that nothing waits in the run's queue; a worker
        may have taken the message.
        """
        if self.runs is not None:
            return run not in self.runs
        return queue is not None and self.waiting.get(queue) == 0


def read_presence(app: "Celery", queues: Iterable[str]) -> Presence:
    """Ask the broker for the messages in the `queues`, and with workers.

    Raises redis.RedisError, kombu.exceptions.KombuError, amqp.exceptions.AMQPError and OSError
    where the broker does not answer.
    """
    names = sorted(set(queues))
    contents = query_broker(app, lambda client: QueueReader(client).read(names), PATIENCE)
    if contents is not None:
        return Presence(contents.runs, contents.waiting)
    return visit_broker(app, lambda connection: _counted(connection, names), PATIENCE)


def read_others(app: "Celery", queues: Iterable[str]) -> frozenset[str]:
    """Return the runs with a message in any further list of a Redis broker.

    A retry may name any queue. Raises the errors of `read_presence`.
    """
    names = sorted(set(queues))

    def read(client: "Redis") -> frozenset[str]:
        reader = QueueReader(client)
        return reader.read(reader.other_queues(names)).runs

    return query_broker(app, read, PATIENCE) or frozenset()


def has_message(app: "Celery", run: str, queue: str | None) -> bool:
    """Return whether the broker has a message of the run, in any queue or with a worker.

    False for a broker that cannot list messages. Raises the errors of `read_presence`.
    """
    queues = [*QUEUES, CELERYS_QUEUE] if queue is None else [queue, *QUEUES, CELERYS_QUEUE]
    presence = read_presence(app, queues)
    return presence.runs is not None and run in presence.runs


def _counted(connection: Any, queues: Iterable[str]) -> Presence:
    """Count messages by a passive declaration of each queue, which changes no queue."""
    waiting: dict[str, int] = {}
    missing: set[str] = set()
    for queue in queues:
        try:
            with connection.channel() as channel:
                waiting[queue] = int(channel.queue_declare(queue, passive=True).message_count)
        except NotFound:
            waiting[queue] = 0
            missing.add(queue)
    return Presence(None, waiting, frozenset(missing))
