"""Poison on the broker: messages with which no worker can begin are refused, and kept.

    text in a list ──not a message──────────────▶ dead letter
    message ──no envelope that Celery can read──▶ run.failed with the reason, where it names a run
                                                  dead letter, where it names none
            ──Celery raises──────────────────────▶ as above

Celery's worker ends at such a message; the broker then delivers it to the next worker, which ends
too. Refused messages are acknowledged after the event or letter is written, and the next message
has its turn. Errors of the connection are passed on: the message comes back.
"""

import logging
from collections.abc import Callable
from typing import Any

from amqp.exceptions import AMQPError
from celery.worker import state
from kombu import compression
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from scheduler.errors import readable_text
from scheduler.events.dead_letters import DeadLetters
from scheduler.messages import envelope, unpacking
from scheduler.runs.headers import is_run, queue_of
from scheduler.worker.parts import parts_for
from scheduler.worker.signals import signals_of

log = logging.getLogger(__name__)

_CONNECTION = (AMQPError, KombuError, OSError, RedisError)


def bound_decompression() -> None:
    """Let kombu decompress messages with a bound, in this process."""
    for name in compression.encoders():
        encoder: Any = compression.get_encoder(name)
        if encoder[1]:  # kombu's name for no compression has no content type
            compression.register(encoder[0], unpacking.decoder_of(encoder[1]), encoder[1])


class RefusedMessages:
    """The refusals of a consumer."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._recorded: Any = None
        """The last recorded message: Celery's own refusal may raise after ours is recorded."""

    def before(self, handle: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return Celery's handler of messages, called for messages that it can handle."""

        def handle_sound(message: Any) -> Any:
            fault = _fault_in(message)
            if fault is not None:
                self.refuse(message, f"the message was refused: {fault}")
                return None
            try:
                return handle(message)
            except Exception as error:
                if isinstance(error, _CONNECTION):
                    raise
                log.exception("a message with which Celery cannot begin is refused")
                self.refuse(
                    message,
                    "the message was refused: Celery cannot begin with it: "
                    f"{type(error).__name__}: {readable_text(error)}",
                )
                return None

        return handle_sound

    def refuse(self, message: Any, reason: str) -> None:
        """Record the reason, and acknowledge the message."""
        self.record(message, reason)
        for request in list(state.reserved_requests):
            if request.message is message:
                state.task_ready(request)
        if not message.acknowledged:
            message.ack_log_error(log, self._consumer.connection_errors)

    def record(self, message: Any, reason: str) -> None:
        """Record a failed run, or a dead letter where the message names no run."""
        if self._recorded is message:
            return
        self._recorded = message
        log.error("%s", reason)
        if is_run(message.headers):
            signals_of(self._consumer.app).refused(message, self._consumer.hostname, reason)
            return
        body = message.body.encode() if isinstance(message.body, str) else message.body
        self._keep(body or b"", reason, queue_of(message.delivery_info), message.headers)

    def refuse_text(self, text: bytes, queue: str, reason: str) -> None:
        """Keep a text that is no message as a dead letter."""
        log.error("a text in the queue %s is no message: %s", queue, reason)
        self._keep(text, f"the text in the queue is no message: {reason}", queue)

    def _keep(self, text: bytes, reason: str, queue: str | None, headers: Any = None) -> None:
        letters = DeadLetters(parts_for(self._consumer.app).redis)
        letters.add_message(text, error=reason, queue=queue or "", headers=headers)


def _fault_in_packed_body(message: Any) -> str | None:
    """Why the body of a message is not to be decoded."""
    if message.body is None:
        return "it has no body, or one that is not in its encoding"
    if len(message.body) > unpacking.MOST_BYTES:
        return f"its body has {len(message.body)} bytes, at most {unpacking.MOST_BYTES} are read"
    return envelope.fault_in_content_type(message.content_type)


def _fault_in(message: Any) -> str | None:
    """Why no worker can begin with a message, as far as its parts tell before Celery sees it."""
    headers = message.headers
    if "task" in headers:
        fault = envelope.fault_of(headers, message.properties)
        if fault is not None:
            return fault
    fault = _fault_in_packed_body(message)
    if fault is not None:
        return fault
    try:
        body = message.payload
    except unpacking.TooLarge as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - Celery meets the same error, and has words for it
        log.debug("the body of a message cannot be read: %r", error)
        return None
    if isinstance(body, dict):
        return envelope.fault_in_old_body({**body, **headers} if "task" in headers else body)
    return envelope.fault_in_body(body) if "task" in headers else None
