"""Publishes calls by Celery's own code, and returns when the broker has confirmed the messages.

RabbitMQ confirms each message; the confirmations are awaited together. Redis answers the pipeline
in which kombu gathers a batch. Other transports of kombu answer as they publish. Nothing is retried
here.
"""

import logging
import time
from collections.abc import Sequence
from typing import Any

from celery import Celery
from kombu.exceptions import KombuError, OperationalError
from redis.exceptions import DataError, RedisError

from scheduler.celery_app import declared_queues
from scheduler.errors import BeatdeskError, Refused
from scheduler.publishing.outbox import OutboxEntry, marked
from scheduler.worker.sent_runs import collecting

log = logging.getLogger(__name__)

CONFIRM_SECONDS = 30.0
"""How long the broker may take to confirm a batch, or to answer anything."""

_OUR_FAULTS = (LookupError, AttributeError, TypeError, ValueError)
"""Errors that kombu counts among errors of a connection, and a bad call may raise too."""


class Away(BeatdeskError):
    """The broker does not answer, or has not confirmed."""


class Rejected(BeatdeskError):
    """Celery or the broker refuses a call for good."""


class Publisher:
    """A connection to the broker, opened at the first use; for a single thread."""

    def __init__(self, app: Celery) -> None:
        self._app: Any = app
        self._connection: Any = None
        self._producer: Any = None
        self._confirms: _Confirms | None = None

    def publish(self, entries: Sequence[OutboxEntry]) -> None:
        """Publish all entries, in order.

        Raises Away where the broker has not confirmed the messages, Rejected where an entry is
        refused for good. After either error the broker may have any of the messages.
        """
        try:
            self._publish(entries)
        except Exception as error:
            away = self._is_away(error)
            self.close()
            raise (Away if away else Rejected)(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connection; the next `publish` opens another."""
        connection = self._connection
        self._connection = None
        self._producer = None
        self._confirms = None
        if connection is not None:
            try:
                connection.release()
            except (KombuError, RedisError, OSError, *_OUR_FAULTS) as error:
                log.debug("a broken connection to the broker could not be left in order: %r", error)

    def _publish(self, entries: Sequence[OutboxEntry]) -> None:
        if self._producer is None:
            self._connect()
        with collecting(), self._producer.batch():
            for entry in entries:
                task = self._app.tasks.get(entry.job)
                options = {**marked(entry), "producer": self._producer}
                if task is not None:
                    task.apply_async(entry.args, entry.kwargs, **options)
                else:
                    self._app.send_task(entry.job, entry.args, entry.kwargs, **options)
        if self._confirms is not None:
            self._confirms.wait(self._connection)

    def _connect(self) -> None:
        connection = self._app.connection_for_write()
        amqp = connection.transport.driver_type == "amqp"
        if amqp:
            limits = {"read_timeout": CONFIRM_SECONDS, "write_timeout": CONFIRM_SECONDS}
            connection.transport_options = {
                **limits,
                **connection.transport_options,
                "confirm_publish": False,
            }
        self._connection = connection
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
        if amqp:
            self._make_queues(connection)
        channel = connection.channel()
        if amqp:
            self._confirms = _Confirms(channel)
        self._producer = self._app.amqp.Producer(channel, auto_declare=False)

    def _make_queues(self, connection: Any) -> None:
        """Declare the queues.

        Raises Away where a queue exists with other arguments: the messages for the queue wait,
        since the broker would refuse all of them.
        """
        try:
            declared_queues.make(self._app, connection)
        except Refused as error:
            raise Away(str(error)) from error

    def _is_away(self, error: Exception) -> bool:
        """True where the broker is the reason of an error, False where the call is."""
        if isinstance(error, Away):
            return True
        cause = (
            error.__cause__
            if isinstance(error, KombuError) and error.__cause__ is not None
            else error
        )
        if isinstance(cause, RedisError):
            return not isinstance(cause, DataError) and "WRONGTYPE" not in str(cause)
        if (
            self._producer is None
            or not self._connection.connected
            or isinstance(cause, OSError | OperationalError)
        ):
            return True
        connection_errors = (
            *self._connection.connection_errors,
            *self._connection.recoverable_channel_errors,
        )
        return isinstance(cause, connection_errors) and not isinstance(cause, _OUR_FAULTS)


class _Confirms:
    """The messages not yet confirmed by RabbitMQ on a channel."""

    def __init__(self, channel: Any) -> None:
        self._publish = channel.basic_publish
        self._last = 0
        self._open: set[int] = set()
        self._refused = False
        channel.confirm_select()
        channel.events["basic_ack"].add(self._acked)
        channel.events["basic_nack"].add(self._nacked)
        channel.basic_publish = self._counted

    def wait(self, connection: Any) -> None:
        """Return when everything is confirmed. Raises Away, and the errors of the connection."""
        until = time.monotonic() + CONFIRM_SECONDS
        while self._open and not self._refused:
            left = until - time.monotonic()
            if left <= 0:
                raise Away(
                    f"{len(self._open)} messages were not confirmed in {CONFIRM_SECONDS:g} s"
                )
            connection.drain_events(timeout=left)
        if self._refused:
            raise Away("the broker did not take a message")

    def _counted(self, *args: Any, **options: Any) -> Any:
        self._last += 1
        self._open.add(self._last)
        return self._publish(*args, **options)

    def _acked(self, tag: int, multiple: bool) -> None:
        self._open = {one for one in self._open if one > tag} if multiple else self._open - {tag}

    def _nacked(self, tag: int, multiple: bool) -> None:
        self._refused = True
