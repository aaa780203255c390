"""Celery's consumer, with admission before a message is taken and an event before one is dropped.

Celery drops a refused message first, and sends a signal afterwards, or none at all: if the worker
died in between, the run would have no verdict.
"""

import logging
import warnings
from collections import deque
from contextlib import suppress
from typing import Any

from celery.exceptions import CPendingDeprecationWarning
from celery.worker import state
from celery.worker.consumer import Consumer
from redis.exceptions import ResponseError

from scheduler.celery_app import internals, priorities
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.celery_app.connection import BrokerConnection
from scheduler.runs.deliveries import Settled
from scheduler.runs.leases import HeldRun
from scheduler.worker import kept_messages, refused_messages
from scheduler.worker.admission import Admission
from scheduler.worker.execution import own_jobs
from scheduler.worker.signals import signals_of
from scheduler.worker.transport.channel import ClaimingMixin
from scheduler.worker.transport.redis import claiming

log = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 5.0
"""Seconds for listening to a broker that may be gone, as in Celery at the corresponding place."""


class RecordingConsumer(Consumer):
    """Consumer that records `run.failed` with the reason before Celery drops a message."""

    app: BeatdeskApp
    connection: Any
    connection_errors: tuple[Any, ...]
    strategies: dict[str, Any]
    task_consumer: Any

    def __init__(self, *args: Any, **options: Any) -> None:
        self.waiting_runs: dict[str, HeldRun] = {}
        """Taken runs that wait in the worker for admission, by id."""

        self.stopped_runs: set[str] = set()
        """Runs whose jobs the worker has stopped, and whose messages come back."""

        self.settled: deque[Settled] = deque()
        """Acknowledged messages of runs whose ends are to be forgotten.

        Only at a broker other than the runs' Redis.
        """

        self._kept = kept_messages.KeptMessages()
        self._refused = refused_messages.RefusedMessages(self)
        refused_messages.bound_decompression()
        super().__init__(*args, **options)

    def connection_for_read(self, heartbeat: float | None = None) -> Any:
        """Return a connection; where the broker is Redis, a connection that claims messages.

        Under a prefix of all keys (`global_keyprefix`) messages are taken as kombu takes them: it
        writes the prefix before some keys of a script only.
        """
        connection: Any = self.app.connection_for_read(heartbeat=heartbeat)
        has_prefix = bool(connection.transport_options.get("global_keyprefix"))
        if (
            isinstance(connection, BrokerConnection)
            and self.app.settings.claiming_transport
            and not has_prefix
        ):
            connection.transport_for = claiming
        return self.ensure_connected(connection)

    def update_strategies(self) -> None:
        """Put admission before Celery's strategy of each task, and turn RabbitMQ's priorities.

        Celery calls `update_strategies` for each connection, before the first message is taken.
        """
        super().update_strategies()
        self.waiting_runs.clear()
        channel = self.connection.default_channel
        if isinstance(channel, ClaimingMixin):
            channel.claimant = self.hostname if self.app.settings.broker_has_leases else ""
            channel.refuse_text = self._refused.refuse_text
            self._kept.hand_to(self, channel.qos)
        admission = Admission(self)
        turned = priorities.are_turned(self.app)
        for name, strategy in self.strategies.items():
            in_our_order = priorities.with_turned_priority(strategy) if turned else strategy
            self.strategies[name] = admission.before(name, in_our_order)

    def create_task_handler(self, *args: Any, **options: Any) -> Any:
        """Return Celery's handler of messages, called after a look at the envelope."""
        return self._refused.before(super().create_task_handler(*args, **options))

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Close the channel of a lost Redis connection completely, before Celery closes it.

        kombu's channel for Redis stops half-way through closing when a reply does not come, as
        where the server is gone and another of the worker's sockets noticed first. Celery closes
        the channel again after taking the channel's transport away. A message still to be given
        back then raises AttributeError in the channel, and the worker ends.
        """
        self._kept.keep(self)
        if self.connection.transport.driver_type == "redis":
            internals.bound_sockets(self.connection, LAST_WORDS_SECONDS)
            with suppress(Exception):  # Celery ignores the same errors when it closes the channel
                self.connection.maybe_close_channel(self.task_consumer.channel)
            with suppress(Exception):
                self.connection.revive(None)  # closes the channel once more
        with warnings.catch_warnings():
            # Celery warns that it will stop jobs here by default; ours go on, and are fenced.
            warnings.simplefilter("ignore", CPendingDeprecationWarning)
            super().on_connection_error_after_connected(exc)

    def stop(self) -> None:
        """Stop taking messages, and give unbegun messages back at once."""
        super().stop()
        try:
            given_back = kept_messages.give_back_unbegun(self)
        except self.connection_errors + (ResponseError,) as error:  # noqa: RUF005 - so that types are told
            log.warning("messages come back by themselves, as Redis does not answer: %s", error)
        else:
            if given_back:
                log.info("%d messages that were not begun go back", given_back)

    def cancel_active_requests(self) -> None:
        """Stop the jobs of a worker that is to end at once, and record that the runs come back."""
        events = signals_of(self.app).reporter().events
        reason = own_jobs.WORKER_STOPPED
        self.stopped_runs.update(request.id for request in list(state.active_requests))
        own_jobs.stop(self, events, reason, lambda _run: True, is_ending=True)
        super().cancel_active_requests()

    def on_close(self) -> None:
        """Record that messages waiting in the worker for their time go back to the broker."""
        worker_state: Any = state
        begun = {*worker_state.active_requests, *worker_state.reserved_requests}
        waiting = [request for request in worker_state.scheduled_requests if request not in begun]
        super().on_close()
        signals_of(self.app).give_back(waiting, self.hostname)

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Record that the worker does not have the job of a message."""
        name = (message.headers or {}).get("task")
        self._refuse(
            message,
            f"no worker here knows the job {name!r}; start the worker with the module that "
            "defines it (BEATDESK_JOBS), or send the job to a queue whose workers have it",
        )
        super().on_unknown_task(body, message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Record that Celery makes no task of a message, for a pickled body or an impossible
        expiry, say.
        """
        self._refuse(message, f"the message was refused: {exc}")
        super().on_invalid_task(body, message, exc)

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """Keep a message that is no call of a job as a dead letter."""
        self._refuse(message, "the message is no call of a job: it names none")
        super().on_unknown_message(body, message)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Record that the body of a message cannot be decoded, and acknowledge the message.

        Celery's own way ends the worker where there is no body.
        """
        self._refused.refuse(message, f"the message cannot be read: {exc}")

    def _refuse(self, message: Any, reason: str) -> None:
        self._refused.record(message, reason)
