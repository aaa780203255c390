"""Admission of messages: whether a message may become a run, before Celery makes a task of it.

1. A further attempt does not expire: the deadline was for the start, and the run has started.
2. A message that the broker delivered a second time, while the run of its first delivery is alive,
   waits. It is dropped when that run ends; it starts when that run's lease expires, because then
   no worker has the run.
3. A message that came by the outbox may be in the queue twice, without the broker's knowledge: it
   claims its run first (`runs.deduplication`), and a second copy is dropped. While Redis does not
   answer, such a message waits.
4. A run that its schedule started is checked once more as Beat checked it before it sent it
   (`dispatch.start_check`): meanwhile the schedule may be paused, off, deleted, or running. A
   worker takes no more messages than it can begin with, so this is the moment of the start. Where
   Redis does not answer, the run starts rather than is lost.

Step 4 writes the event that the message was taken in its own round trip; steps 2 and 3 cost one
round trip to Redis, for messages that come a second time or by the outbox. No clock of this module
decides anything.
"""

import logging
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.events.schema import RunReceived
from scheduler.rules.policies import admit
from scheduler.runs.deduplication import delivery_claim_of
from scheduler.runs.headers import attempt_of, is_job, message_of
from scheduler.runs.leases import LeaseState
from scheduler.runs.own_header import HEADER, moment_in, raw_parts, schedule_of
from scheduler.worker.parts import StartAnswer, parts_for
from scheduler.worker.signals import signals_of

log = logging.getLogger(__name__)

LOOK_EVERY = 4.0
"""Seconds between two looks at the lease of the other delivery; less than `leases.WATCH_EVERY`, so
that a look falls between the end of the lease and the event that the run is lost.
"""

LOOKS_FOR_THE_GONE = 3
"""How often a schedule that is gone is looked for, in case that a recorder is putting it back."""

Strategy = Callable[..., Any]


class Admission:
    """Admission of the messages of one consumer."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._app: BeatdeskApp = consumer.app

    def before(self, name: str, strategy: Strategy) -> Strategy:
        """Celery's strategy for messages of the task `name`, called once a message is admitted.

        Celery's own tasks keep their strategy.
        """
        if not is_job(name):
            return strategy

        def admit_message(message: Any, body: Any, ack: Any, *more: Any, **options: Any) -> Any:
            headers = message.headers if isinstance(message.headers, dict) else {}
            if HEADER in headers and headers.get("retries") and headers.get("expires"):
                headers["expires"] = None

            def start() -> Any:
                return strategy(message, body, ack, *more, **options)

            received = self._scheduled_run(message, headers)

            def check_and_start() -> Any:
                if received is None:
                    return start()
                return self._check_start(message, ack, start, received, 1)

            if delivery_claim_of(headers) is None and not _is_redelivered(message, headers):
                return check_and_start()
            return self._deduplicate(message, ack, check_and_start, first=True)

        return admit_message

    def _deduplicate(self, message: Any, ack: Any, start: Callable[[], Any], *, first: bool) -> Any:
        """Drop the second copy, start the run, or look again in `LOOK_EVERY` seconds."""
        if self._is_given_back(message):
            return None
        run = message.headers["id"]
        attempt = attempt_of(message.headers.get("retries"))
        try:
            state = self._claim_run(message, run, attempt)
        except RedisError as error:
            log.warning("whether run %s is alive cannot be seen, its message waits: %s", run, error)
            state = LeaseState.ALIVE
        if state is LeaseState.ALIVE:
            if first:
                log.warning("run %s may be alive already, its message waits", run)
            return self._later(
                lambda: self._deduplicate(message, ack, start, first=False), first=first
            )
        if not first:
            self._consumer.qos.decrement_eventually()
        if state is None or (state is LeaseState.GONE and not first):
            log.warning("run %s has ended, or has another message: this one is dropped", run)
            return ack(log, self._consumer.connection_errors)
        return start()

    def _check_start(
        self, message: Any, ack: Any, start: Callable[[], Any], received: RunReceived, look: int
    ) -> Any:
        """Start the run as its schedule allows, skip it, or check again in `LOOK_EVERY` seconds."""
        if self._is_given_back(message):
            return None
        received = received.model_copy(update={"at": utc_now()})
        answer = self._ask_start(message, received)
        if answer is not None and (
            answer.admission.kind == "wait" or (answer.gone and look < LOOKS_FOR_THE_GONE)
        ):
            log.info("run %s of %s waits for its turn", received.run, received.facts.schedule)
            return self._later(
                lambda: self._check_start(message, ack, start, received, look + 1), first=look == 1
            )
        if look > 1:
            self._consumer.qos.decrement_eventually()
        if answer is not None and answer.admission.kind == "skip":
            self._skip(received, answer)
            return ack(log, self._consumer.connection_errors)
        is_recorded = answer is not None and answer.is_recorded
        with signals_of(self._app).already_recorded(received.run if is_recorded else None):
            return start()

    def _ask_start(self, message: Any, received: RunReceived) -> StartAnswer | None:
        """What the schedule's policies say of the run; None where Redis does not answer."""
        try:
            return parts_for(self._app).start_check.ask(
                received,
                again=_is_redelivered(message, message.headers),
                start_by=moment_in(message.headers.get("expires")),
            )
        except RedisError as error:
            log.warning(
                "whether run %s may start cannot be asked, it starts: %s", received.run, error
            )
            return None

    def _skip(self, received: RunReceived, answer: StartAnswer) -> None:
        """Record that a policy keeps the run from its start."""
        reason = answer.admission.reason
        log.warning("run %s of %s is skipped: %s", received.run, received.facts.schedule, reason)
        signals_of(self._app).reporter().skipped(
            received, reason, is_recorded=answer.is_recorded, now=utc_now()
        )

    def _later(self, look: Callable[[], Any], *, first: bool) -> None:
        """Keep the message waiting; the worker may take another one in its place."""
        if first:
            self._consumer.qos.increment_eventually()
        self._consumer.timer.call_after(LOOK_EVERY, look)

    def _is_given_back(self, message: Any) -> bool:
        """Whether the connection was lost, so that the broker delivers the message again."""
        return bool(message.channel is not self._consumer.task_consumer.channel)

    def _scheduled_run(self, message: Any, headers: dict[str, Any]) -> RunReceived | None:
        """The event that this worker has a message to which step 4 applies; None for others."""
        if not isinstance(headers.get("id"), str) or not schedule_of(headers):
            return None
        event = (
            signals_of(self._app)
            .reporter()
            .received_event(message_of(message), self._consumer.hostname, utc_now())
        )
        facts = event.facts
        has_one_schedule = len((facts.schedule_uid or "").split()) == 1
        if not has_one_schedule or facts.schedule != raw_parts(headers).get("schedule"):
            return None
        is_checked = admit.is_required(
            trigger=facts.trigger, actor=facts.actor, attempt=event.attempt
        )
        return event if is_checked else None

    def _claim_run(self, message: Any, run: str, attempt: int) -> LeaseState | None:
        """State of the run's lease; None where another message has the run. Raises RedisError.

        OVER for the first delivery of a message that came by the outbox: it may start.
        """
        services = parts_for(self._app)
        claim = delivery_claim_of(message.headers)
        if claim is not None and not services.deduplication.take(claim):
            return None
        if not _is_redelivered(message, message.headers):
            return LeaseState.OVER
        return services.leases.standing(run, attempt)


def _is_redelivered(message: Any, headers: dict[str, Any]) -> bool:
    """Whether the broker has delivered this message of a schedule's run before."""
    has_schedule = bool(raw_parts(headers).get("schedule_uid"))
    is_run = has_schedule and isinstance(headers.get("id"), str)
    return is_run and bool((message.delivery_info or {}).get("redelivered"))
