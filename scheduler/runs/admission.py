"""Whether a message may become a run, asked by a worker before Celery makes a task of it.

- A run that has started is not late any more: its further attempts do not expire by the deadline for its start.
- A message that the broker gave out a second time, while the run that came of the first time is alive, waits. It is
  dropped when that run ends; it starts when that run's lease runs out, because then nobody has it.
- A message that came by the outbox may be there twice, without the broker's knowledge: its run is taken first
  (`copies`), and a second copy is dropped. While Redis does not answer, such a message waits.

Costs a question to Redis for messages that come a second time, or by the outbox. No clock of its own decides here.
"""

import logging
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from scheduler.runs.copies import marked
from scheduler.runs.facts import HEADER, attempt_of, is_job
from scheduler.runs.leases import Standing
from scheduler.runs.process import desk_of

log = logging.getLogger(__name__)

LOOK_EVERY = 4.0
"""Seconds between two looks at the other's lease; less than `leases.WATCH_EVERY`, so that its end is seen."""

Strategy = Callable[..., Any]


class Admission:
    """The question, for one consumer."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    def before(self, name: str, strategy: Strategy) -> Strategy:
        """Celery's way of taking a message for the task `name`, after the question."""
        if not is_job(name):
            return strategy

        def ask(message: Any, body: Any, ack: Any, *more: Any, **options: Any) -> Any:
            headers = message.headers if isinstance(message.headers, dict) else {}
            if HEADER in headers and headers.get("retries") and headers.get("expires"):
                headers["expires"] = None
            if marked(headers) is None and not _is_second_copy(message, headers):
                return strategy(message, body, ack, *more, **options)
            return self._look(message, ack, lambda: strategy(message, body, ack, *more, **options), first=True)

        return ask

    def _look(self, message: Any, ack: Any, start: Callable[[], Any], *, first: bool) -> Any:
        """Drop the second copy, start it, or look again in a while."""
        if message.channel is not self._consumer.task_consumer.channel:
            return None  # the connection was lost meanwhile, and the broker gives the message out again
        run, attempt = message.headers["id"], attempt_of(message.headers.get("retries"))
        try:
            standing = self._standing(message, run, attempt)
        except RedisError as error:
            log.warning("whether run %s is alive cannot be seen, its message waits: %s", run, error)
            standing = Standing.ALIVE
        if standing is Standing.ALIVE:
            if first:
                log.warning("run %s may be alive already, its message waits", run)
                self._consumer.qos.increment_eventually()
            self._consumer.timer.call_after(LOOK_EVERY, self._look, (message, ack, start), {"first": False})
            return None
        if not first:
            self._consumer.qos.decrement_eventually()
        if standing is None or (standing is Standing.GONE and not first):
            log.warning("run %s has ended, or has another message: this one is dropped", run)
            return ack(log, self._consumer.connection_errors)
        return start()

    def _standing(self, message: Any, run: str, attempt: int) -> Standing | None:
        """How the run stands; none where it is not this message's. Raises redis.RedisError."""
        desk, mark = desk_of(self._consumer.app), marked(message.headers)
        if mark is not None and not desk.copies.take(mark):
            return None
        return desk.leases.standing(run, attempt) if _is_second_copy(message, message.headers) else Standing.OVER


def _is_second_copy(message: Any, headers: dict[str, Any]) -> bool:
    """Was this message of a schedule's run given out before?"""
    said = headers.get(HEADER)
    known = isinstance(said, dict) and bool(said.get("schedule_uid")) and isinstance(headers.get("id"), str)
    return known and bool((message.delivery_info or {}).get("redelivered"))
