"""Runs that a process sends: recognition of Beatdesk's own, and their event `run.queued`."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scheduler.celery_app import internals
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.celery_app.broker_address import are_same_broker
from scheduler.clock import utc_now
from scheduler.events.schema import RunQueued, run_event
from scheduler.runs.headers import Message, facts_of, is_run
from scheduler.worker.parts import parts_for
from scheduler.worker.producer_spool import ProducerSpool

log = logging.getLogger(__name__)

_collected = threading.local()


@contextmanager
def collecting() -> Iterator[list[Message]]:
    """Collect the messages published by the calling thread, instead of recording events.

    For a Beat, which writes the events in a transaction of its own.
    """
    messages: list[Message] = []
    before = getattr(_collected, "messages", None)
    _collected.messages = messages
    try:
        yield messages
    finally:
        _collected.messages = before


class SentRuns:
    """Recorder of the runs that an app sends, in any process that has the app."""

    def __init__(self, app: BeatdeskApp) -> None:
        self._app = app
        self._spools: dict[int, ProducerSpool] = {}
        self._other_senders: set[str | None] = set()

    def spool(self) -> ProducerSpool:
        """The process's spool."""
        spool = self._spools.get(os.getpid())
        if spool is None:
            spool = ProducerSpool(parts_for(self._app).events)
            self._spools = {os.getpid(): spool}
        return spool

    def published(
        self, headers: Any = None, body: Any = None, routing_key: Any = None, **_: Any
    ) -> None:
        """Record that Beat, or a job, gave a message to the broker.

        Not for a further attempt, whose run is in the stream already; nor for a message from
        another app to another broker, whose runs are not Beatdesk's.
        """
        if not is_run(headers) or headers.get("retries"):
            return
        args, kwargs = body[:2] if isinstance(body, tuple) else ((), {})
        message = Message(headers, args, kwargs, routing_key)
        collected = getattr(_collected, "messages", None)
        if collected is not None:
            collected.append(message)
            return
        if not self._app.is_sending and not self._is_on_our_broker(message):
            return
        now = utc_now()
        facts = facts_of(message, self._app.settings.event_body_limit, queued_at=now)
        self.spool().put(run_event(RunQueued, message.run, 1, now, facts=facts))

    def _is_on_our_broker(self, message: Message) -> bool:
        """Return whether a message that another app of the process sent is on the app's broker.

        Celery's signal does not name the sender: the current app is taken as sender.
        """
        sender = internals.current_app()
        addresses = sender.conf.broker_write_url or "", self._app.conf.broker_write_url or ""
        if sender is not self._app and are_same_broker(*addresses):
            return True
        if sender.main not in self._other_senders:
            self._other_senders.add(sender.main)
            log.warning(
                "run %s of %s was sent to another broker, by the Celery app %r: the history has "
                "only what workers of Beatdesk run",
                message.run,
                message.headers["task"],
                sender.main,
            )
        return False
