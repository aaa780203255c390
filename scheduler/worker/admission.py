"""Admission of messages: whether a message may become a run, before Celery makes a task.

1. A further attempt does not expire: the deadline was for the start, and the run has started.
2. A message from the outbox may be in the queue twice, without the broker's knowledge: the message
   claims its run first (`runs.deduplication`), and a second copy is dropped. While Redis does not
   answer, a message from the outbox waits.
3. The run is taken (`runs.deliveries`). The message of an ended run is dropped; the message of a
   run with another worker waits for the end of the run or of the other worker's lease; a message
   that has ended its workers again and again is given up. The claiming transport has taken the run
   with the message.
4. A run that a schedule started is checked once more by the rules that Beat applied before sending
   (`dispatch.start_check`): meanwhile the schedule may be paused, off, deleted, or running. A
   worker takes no more messages than it can begin with, so the check is at the moment of the start.
   Where Redis does not answer, the run starts rather than is lost.

Step 4 writes the event that the message was taken in its own round trip; steps 2 and 3 cost one
round trip to Redis each, for messages from the outbox, and of brokers other than the runs' Redis.
No clock of this module decides anything.
"""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.events.schema import RunReceived
from scheduler.rules.policies import admit
from scheduler.runs.deduplication import delivery_claim_of
from scheduler.runs.deliveries import Delivery, Settled, with_deliveries
from scheduler.runs.headers import attempt_of, is_job, is_run, message_of
from scheduler.runs.leases import HeldRun
from scheduler.runs.own_header import (
    HEADER,
    decode,
    deliveries_of,
    moment_in,
    raw_parts,
    schedule_of,
)
from scheduler.worker.parts import StartAnswer, parts_for
from scheduler.worker.retrying import on_lost_of
from scheduler.worker.signals import signals_of
from scheduler.worker.transport.channel import DELIVERY

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds between two looks at the reason for a message's wait."""

LOOKS_FOR_THE_GONE = 6
"""Number of looks for a missing schedule, in case that a recorder is restoring the schedule."""

UNANSWERED = Delivery("start", is_known=True)
"""The delivery of a message whose run cannot be taken, as Redis does not answer: the run starts."""

Strategy = Callable[..., Any]


class Arrival(NamedTuple):
    """A message that has arrived, with acknowledgement and start as possible next steps."""

    message: Any
    ack: Callable[..., Any]
    start: Callable[[], Any]
    """Celery's strategy: makes a task of the message."""


class Admission:
    """Admission of a consumer's messages."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._app: BeatdeskApp = consumer.app

    def before(self, name: str, strategy: Strategy) -> Strategy:
        """Return Celery's strategy for messages of the task `name`, called after admission.

        Celery's own tasks keep their strategy.
        """
        if not is_job(name):
            return strategy

        def admit_message(message: Any, body: Any, ack: Any, *more: Any, **options: Any) -> Any:
            headers = message.headers if isinstance(message.headers, dict) else {}
            if HEADER in headers and headers.get("retries") and headers.get("expires"):
                headers["expires"] = None
            claimed = (message.delivery_info or {}).pop(DELIVERY, None)
            settle = ack if claimed is not None else self._with_settlement(message, ack)

            def start() -> Any:
                return strategy(message, body, settle, *more, **options)

            if not is_run(headers):
                return start()
            return self._take(Arrival(message, settle, start), claimed, look=1)

        return admit_message

    def _take(self, arrival: Arrival, claimed: Delivery | None, look: int) -> Any:
        """Drop the message, begin with the run, or look again in `LOOK_EVERY` seconds."""
        message, ack, start = arrival
        if self._is_given_back(message):
            return None
        run = message.headers["id"]
        delivery = self._ask_delivery(message, run, claimed)
        if delivery.fate == "wait":
            if look == 1:
                log.warning("run %s may be alive already, its message waits", run)
            return self._later(lambda: self._take(arrival, claimed, look + 1), first=look == 1)
        if look > 1:
            self._consumer.qos.decrement_eventually()
        if delivery.fate == "ended":
            log.warning("run %s has ended, or has another message: this one is dropped", run)
            return ack(log, self._consumer.connection_errors)
        self._consumer.stopped_runs.discard(run)  # it is this worker's again
        message.headers = with_deliveries(message.headers, delivery.begun)
        reason = self._reason_to_give_up(message, delivery)
        if reason:
            self._give_up(message, reason)
            return ack(log, self._consumer.connection_errors)
        received = self._scheduled_run(message, message.headers)
        if received is None:
            return start()
        return self._check_start(arrival, received, delivery, look=1)

    def _ask_delivery(self, message: Any, run: str, claimed: Delivery | None) -> Delivery:
        """Return Redis's answer about the delivery; on "start" the calling worker has the lease."""
        parts = parts_for(self._app)
        copy = delivery_claim_of(message.headers)
        is_doubtful = copy is not None or _is_redelivered(message)
        try:
            if copy is not None and not parts.deduplication.take(copy):
                if claimed is not None:
                    parts.events.forget(run)
                return Delivery("ended")
            return claimed or parts.deliveries.take(
                message.headers, self._consumer.hostname, utc_now()
            )
        except RedisError as error:
            fate = "waits" if is_doubtful else "starts"
            log.warning("whether run %s is alive cannot be seen, it %s: %s", run, fate, error)
            return Delivery("wait") if is_doubtful else UNANSWERED

    def _reason_to_give_up(self, message: Any, delivery: Delivery) -> str:
        """Return the reason against another delivery of a message; empty without a reason."""
        if delivery.unended >= self._app.settings.most_deliveries:
            return (
                f"given up: {delivery.unended} deliveries of its message ended their worker "
                "(BEATDESK_MOST_DELIVERIES); look for the reason in the logs of the workers and "
                "of the system, such as too little memory"
            )
        if not delivery.begun:
            return ""
        task = self._app.tasks.get(message.headers["task"])
        if on_lost_of(task, decode(message.headers).on_lost) == "fail":
            return (
                "its worker was lost while it ran, and it is not run again (on_lost: fail); it may "
                "have done part of its work"
            )
        return ""

    def _give_up(self, message: Any, reason: str) -> None:
        """Record that a message is delivered no more, and release the lease of the delivery."""
        run = message.headers["id"]
        log.error("run %s: %s", run, reason)
        signals_of(self._app).given_up(message, self._consumer.hostname, reason)
        try:
            parts_for(self._app).events.forget(run)
        except RedisError as error:
            log.warning("the lease of run %s, which was given up, ends by itself: %s", run, error)

    def _check_start(
        self, arrival: Arrival, received: RunReceived, delivery: Delivery, look: int
    ) -> Any:
        """Start the run as the schedule allows, skip it, or check again in `LOOK_EVERY` seconds."""
        message, ack, start = arrival
        self._consumer.waiting_runs.pop(received.run, None)
        if self._is_given_back(message):
            return None
        received = received.model_copy(update={"at": utc_now()})
        answer = self._ask_start(message, received, delivery)
        if answer is not None and (
            answer.admission.kind == "wait" or (answer.gone and look < LOOKS_FOR_THE_GONE)
        ):
            log.info("run %s of %s waits for its turn", received.run, received.facts.schedule)
            self._consumer.waiting_runs[received.run] = _held(message.headers)
            return self._later(
                lambda: self._check_start(arrival, received, delivery, look + 1),
                first=look == 1,
            )
        if look > 1:
            self._consumer.qos.decrement_eventually()
        if answer is not None and answer.admission.kind == "skip":
            self._skip(received, answer)
            return ack(log, self._consumer.connection_errors)
        if answer is not None and answer.admission.kind == "expire":
            self._expire(message, received, has_waited_here=look > 1)
            return ack(log, self._consumer.connection_errors)
        is_recorded = answer is not None and answer.is_recorded
        with signals_of(self._app).already_recorded(received.run if is_recorded else None):
            return start()

    def _ask_start(
        self, message: Any, received: RunReceived, delivery: Delivery
    ) -> StartAnswer | None:
        """Return the schedule policies' verdict on the run; None where Redis does not answer."""
        try:
            return parts_for(self._app).start_check.ask(
                received,
                again=_is_redelivered(message) and not delivery.is_known,
                start_by=moment_in(message.headers.get("expires")),
                is_known=delivery.is_known,
            )
        except RedisError as error:
            log.warning(
                "whether run %s may start cannot be asked, it starts: %s", received.run, error
            )
            return None

    def _skip(self, received: RunReceived, answer: StartAnswer) -> None:
        """Record that a policy keeps the run from starting."""
        reason = answer.admission.reason
        log.warning("run %s of %s is skipped: %s", received.run, received.facts.schedule, reason)
        signals_of(self._app).reporter().skipped(
            received, reason, is_recorded=answer.is_recorded, now=utc_now()
        )

    def _expire(self, message: Any, received: RunReceived, *, has_waited_here: bool) -> None:
        """Record that the run's deadline has passed."""
        log.warning("run %s of %s came too late", received.run, received.facts.schedule)
        signals_of(self._app).reporter().expired(
            message_of(message),
            received.attempt - 1,
            worker=received.worker,
            waited_for="for an earlier run of its schedule"
            if has_waited_here
            else f"in the queue {received.facts.queue}",
            now=utc_now(),
        )

    def _later(self, look: Callable[[], Any], *, first: bool) -> None:
        """Keep the message waiting; the worker may take another message meanwhile."""
        if first:
            self._consumer.qos.increment_eventually()
        self._consumer.timer.call_after(LOOK_EVERY, look)

    def _is_given_back(self, message: Any) -> bool:
        """Whether the connection was lost, so that the broker delivers the message again."""
        return bool(message.channel is not self._consumer.task_consumer.channel)

    def _with_settlement(self, message: Any, ack: Any) -> Callable[..., Any]:
        """Return an acknowledgement after which the run's end need not be remembered any more.

        An acknowledgement by a lost connection does not reach the broker: the message comes back,
        and finds the note of the run's end.
        """

        def acknowledge(*given: Any, **named: Any) -> Any:
            is_lost = self._is_given_back(message)
            answer = ack(*given, **named)
            if not is_lost and is_run(message.headers):
                held = _held(message.headers)
                self._consumer.settled.append(Settled(held.run, held.retries))
            return answer

        return acknowledge

    def _scheduled_run(self, message: Any, headers: dict[str, Any]) -> RunReceived | None:
        """Return the event `run.received` of the message where step 4 applies, else None."""
        if not schedule_of(headers):
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


def _held(headers: dict[str, Any]) -> HeldRun:
    """Return the run of a message, as far as the worker knows."""
    retries = attempt_of(headers.get("retries")) - 1
    return HeldRun(headers["id"], retries, deliveries_of(headers), "")


def _is_redelivered(message: Any) -> bool:
    """Whether the broker has delivered the message before."""
    return bool((message.delivery_info or {}).get("redelivered"))
