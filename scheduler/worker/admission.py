"""Whether a message may become a run, asked by a worker before Celery makes a task of it.

- A run that has started is not late any more: its further attempts do not expire by the deadline
  for its start.
- A message that the broker gave out a second time, while the run that came of the first time is
  alive, waits. It is dropped when that run ends; it starts when that run's lease runs out, because
  then nobody has it.
- A message that came by the outbox may be there twice, without the broker's knowledge: its run is
  taken first (`copies`), and a second copy is dropped. While Redis does not answer, such a message
  waits.
- What the schedule itself has started is asked once more what Beat has asked before it sent it
  (`dispatch.start_check`): meanwhile the schedule may be paused, off, deleted, or running. A worker
  takes no more messages than it can begin with, so that this is the moment of the start. Where
  Redis does not answer, the run starts rather than is lost.

The last question rides on the event that the message was taken; the others cost one to Redis, for
messages that come a second time, or by the outbox. No clock of its own decides here.
"""

import logging
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.events.schema import RunReceived
from scheduler.rules.policies import admit
from scheduler.runs.deduplication import marked
from scheduler.runs.headers import attempt_of, is_job, message_of
from scheduler.runs.leases import LeaseState
from scheduler.runs.own_header import HEADER, moment_in, raw_parts, schedule_of
from scheduler.worker.parts import parts_for
from scheduler.worker.signals import signals_of

log = logging.getLogger(__name__)

LOOK_EVERY = 4.0
"""Seconds between two looks at the other's lease; less than `leases.WATCH_EVERY`, so that its end
is seen.
"""

LOOKS_FOR_THE_GONE = 3
"""How often a schedule that is gone is looked for, in case that a recorder is putting it back."""

Strategy = Callable[..., Any]


class Admission:
    """The questions, for one consumer."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._app: BeatdeskApp = consumer.app

    def before(self, name: str, strategy: Strategy) -> Strategy:
        """Celery's way of taking a message for the task `name`, after the questions."""
        if not is_job(name):
            return strategy

        def ask(message: Any, body: Any, ack: Any, *more: Any, **options: Any) -> Any:
            headers = message.headers if isinstance(message.headers, dict) else {}
            if HEADER in headers and headers.get("retries") and headers.get("expires"):
                headers["expires"] = None

            def start() -> Any:
                return strategy(message, body, ack, *more, **options)

            taken = self._taken(message, headers)
            following = start if taken is None else lambda: self._ask(message, ack, start, taken, 1)
            if marked(headers) is None and not _is_second_copy(message, headers):
                return following()
            return self._look(message, ack, following, first=True)

        return ask

    def _look(self, message: Any, ack: Any, start: Callable[[], Any], *, first: bool) -> Any:
        """Drop the second copy, start it, or look again in a while."""
        if self._is_given_back(message):
            return None
        run, attempt = message.headers["id"], attempt_of(message.headers.get("retries"))
        try:
            standing = self._standing(message, run, attempt)
        except RedisError as error:
            log.warning("whether run %s is alive cannot be seen, its message waits: %s", run, error)
            standing = LeaseState.ALIVE
        if standing is LeaseState.ALIVE:
            if first:
                log.warning("run %s may be alive already, its message waits", run)
            return self._later(lambda: self._look(message, ack, start, first=False), first=first)
        if not first:
            self._consumer.qos.decrement_eventually()
        if standing is None or (standing is LeaseState.GONE and not first):
            log.warning("run %s has ended, or has another message: this one is dropped", run)
            return ack(log, self._consumer.connection_errors)
        return start()

    def _ask(
        self, message: Any, ack: Any, start: Callable[[], Any], taken: RunReceived, look: int
    ) -> Any:
        """Start the run as its schedule allows, skip it, or ask again in a while."""
        if self._is_given_back(message):
            return None
        taken = taken.model_copy(update={"at": utc_now()})
        try:
            answer = parts_for(self._app).at_start.ask(
                taken,
                again=_is_second_copy(message, message.headers),
                start_by=moment_in(message.headers.get("expires")),
            )
        except RedisError as error:
            log.warning("whether run %s may start cannot be asked, it starts: %s", taken.run, error)
            answer = None
        if answer is not None and (
            answer.admission.kind == "wait" or (answer.gone and look < LOOKS_FOR_THE_GONE)
        ):
            log.info("run %s of %s waits for its turn", taken.run, taken.facts.schedule)
            return self._later(
                lambda: self._ask(message, ack, start, taken, look + 1), first=look == 1
            )
        if look > 1:
            self._consumer.qos.decrement_eventually()
        if answer is not None and answer.admission.kind == "skip":
            log.warning(
                "run %s of %s is skipped: %s",
                taken.run,
                taken.facts.schedule,
                answer.admission.reason,
            )
            reason = answer.admission.reason
            signals_of(self._app).reporter().skipped(taken, reason, told=answer.told, now=utc_now())
            return ack(log, self._consumer.connection_errors)
        with signals_of(self._app).told_of(
            taken.run if answer is not None and answer.told else None
        ):
            return start()

    def _later(self, again: Callable[[], Any], *, first: bool) -> None:
        """The message waits, and the worker may take another one for it."""
        if first:
            self._consumer.qos.increment_eventually()
        self._consumer.timer.call_after(LOOK_EVERY, again)

    def _is_given_back(self, message: Any) -> bool:
        """Was the connection lost meanwhile, so that the broker gives the message out again?"""
        return bool(message.channel is not self._consumer.task_consumer.channel)

    def _taken(self, message: Any, headers: dict[str, Any]) -> RunReceived | None:
        """The fact that this worker has taken a message that is to be asked; none for any other."""
        if not isinstance(headers.get("id"), str) or not schedule_of(headers):
            return None
        taken = (
            signals_of(self._app)
            .reporter()
            .taken(message_of(message), self._consumer.hostname, utc_now())
        )
        facts = taken.facts
        known = len((facts.schedule_uid or "").split()) == 1 and facts.schedule == raw_parts(
            headers
        ).get("schedule")
        asked = known and admit.is_asked(
            trigger=facts.trigger, actor=facts.actor, attempt=taken.attempt
        )
        return taken if asked else None

    def _standing(self, message: Any, run: str, attempt: int) -> LeaseState | None:
        """How the run stands; none where it is not this message's. Raises redis.RedisError."""
        services, mark = parts_for(self._app), marked(message.headers)
        if mark is not None and not services.copies.take(mark):
            return None
        return (
            services.leases.standing(run, attempt)
            if _is_second_copy(message, message.headers)
            else LeaseState.OVER
        )


def _is_second_copy(message: Any, headers: dict[str, Any]) -> bool:
    """Was this message of a schedule's run given out before?"""
    known = bool(raw_parts(headers).get("schedule_uid")) and isinstance(headers.get("id"), str)
    return known and bool((message.delivery_info or {}).get("redelivered"))
