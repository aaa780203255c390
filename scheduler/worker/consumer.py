"""Celery's consumer, with admission before a message is taken and an event before one is dropped.

Celery drops a message that it refuses first, and sends a signal after, or none at all: if the
worker died in between, the run would have no verdict.
"""

from contextlib import suppress
from typing import Any

from celery.worker import state
from celery.worker.consumer import Consumer

from scheduler.celery_app import internals, priorities
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.worker.admission import Admission
from scheduler.worker.signals import signals_of

LAST_WORDS_SECONDS = 5.0
"""Seconds for which a broker that may be gone is listened to, as in Celery at the same place."""


class RecordingConsumer(Consumer):
    """Consumer that records `run.failed` with the reason before Celery drops a message."""

    app: BeatdeskApp
    connection: Any
    strategies: dict[str, Any]
    task_consumer: Any

    def update_strategies(self) -> None:
        """Put admission before Celery's strategy of each task, and turn RabbitMQ's priorities."""
        super().update_strategies()
        admission = Admission(self)
        turned = priorities.are_turned(self.app)
        for name, strategy in self.strategies.items():
            in_our_order = priorities.with_turned_priority(strategy) if turned else strategy
            self.strategies[name] = admission.before(name, in_our_order)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Close the channel of a lost Redis connection completely, before Celery closes it.

        kombu's channel for Redis stops half-way through closing when a reply does not come, as
        where the server is gone and another of the worker's sockets noticed first. Celery closes
        the channel again after it has taken the channel's transport away. Where the channel then
        has a message to give back, that raises AttributeError, and the worker ends.
        """
        if self.connection.transport.driver_type == "redis":
            internals.bound_sockets(self.connection, LAST_WORDS_SECONDS)
            with suppress(Exception):  # Celery ignores the same errors when it closes the channel
                self.connection.maybe_close_channel(self.task_consumer.channel)
            with suppress(Exception):
                self.connection.revive(None)  # closes the channel once more
        super().on_connection_error_after_connected(exc)

    def on_close(self) -> None:
        """Record that messages which waited here for their time go back to the broker."""
        worker_state: Any = state
        begun = {*worker_state.active_requests, *worker_state.reserved_requests}
        waiting = [request for request in worker_state.scheduled_requests if request not in begun]
        super().on_close()
        signals_of(self.app).give_back(waiting, self.hostname)

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Record that this worker does not have the job of a message."""
        name = (message.headers or {}).get("task")
        self._refuse(
            message,
            f"no worker here knows the job {name!r}; start the worker with the module that "
            "defines it (BEATDESK_JOBS), or send the job to a queue whose workers have it",
        )
        super().on_unknown_task(body, message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Record that Celery makes no task of a message: pickled, say, or with an impossible
        expiry.
        """
        self._refuse(message, f"the message was refused: {exc}")
        super().on_invalid_task(body, message, exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Record that the body of a message cannot be decoded."""
        self._refuse(message, f"the message cannot be read: {exc}")
        super().on_decode_error(message, exc)

    def _refuse(self, message: Any, reason: str) -> None:
        signals_of(self.app).refused(message, self.hostname, reason)
