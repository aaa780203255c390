"""Celery's consumer, which tells why it refuses a message before it drops it, and asks before it
takes one.

Celery drops such a message first and sends a signal after, or none at all: a death in between would
be silence.
"""

from contextlib import suppress
from typing import Any

from celery.utils.threads import bound_open_broker_sockets  # type: ignore[attr-defined] # unknown to celery-types
from celery.worker import state
from celery.worker.consumer import Consumer

from scheduler.celery_app import priorities
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.worker.admission import Admission
from scheduler.worker.signals import signals_of

LAST_WORDS_SECONDS = 5.0
"""How long a broker that may be gone is listened to; as long as Celery listens to it in the same
place.
"""


class TellingConsumer(Consumer):
    """Says `run.failed` with the reason, then does what Celery does."""

    app: BeatdeskApp
    connection: Any
    strategies: dict[str, Any]
    task_consumer: Any

    def update_strategies(self) -> None:
        """How messages become tasks: as in Celery, after the question whether they may."""
        super().update_strategies()
        admission = Admission(self)
        turned = priorities.are_turned(self.app)
        for name, strategy in self.strategies.items():
            self.strategies[name] = admission.before(
                name, priorities.as_said(strategy) if turned else strategy
            )

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """The connection is lost: its channel is closed to the end, and forgotten, before Celery
        closes it.

        kombu's channel for Redis gives up being closed when the answer it waits for does not come,
        as where the server is gone and another of the worker's sockets said so first. Celery closes
        it again after its transport has been taken from it. Where a message is to be given back
        then, that raises AttributeError, and the worker ends.
        """
        if self.connection.transport.driver_type == "redis":
            bound_open_broker_sockets(self.connection, LAST_WORDS_SECONDS)
            with suppress(Exception):  # as Celery, at the same
                self.connection.maybe_close_channel(self.task_consumer.channel)
            with suppress(Exception):
                self.connection.revive(None)  # closes it once more
        super().on_connection_error_after_connected(exc)

    def on_close(self) -> None:
        """The connection is over. What waited for its time here has not begun, and does not begin
        here any more.
        """
        known: Any = state
        begun = {*known.active_requests, *known.reserved_requests}
        waited = [request for request in known.scheduled_requests if request not in begun]
        super().on_close()
        signals_of(self.app).given_back(waited, self.hostname)

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """A job that this worker does not have."""
        name = (message.headers or {}).get("task")
        self._refuse(
            message,
            f"no worker here knows the job {name!r}; start the worker with the module that "
            "defines it (BEATDESK_JOBS), or send the job to a queue whose workers have it",
        )
        super().on_unknown_task(body, message, exc)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """A message that Celery will not make a task of: pickled, say, or with an impossible
        expiry.
        """
        self._refuse(message, f"the message was refused: {exc}")
        super().on_invalid_task(body, message, exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """A message whose body is not what it says it is."""
        self._refuse(message, f"the message cannot be read: {exc}")
        super().on_decode_error(message, exc)

    def _refuse(self, message: Any, why: str) -> None:
        signals_of(self.app).refused(message, self.hostname, why)
