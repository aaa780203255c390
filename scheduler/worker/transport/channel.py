"""The claiming channel: takes and notes a message in one script, and waits without taking anything.

The channel asks a single question at a time on a connection of its own: a claim, and after a claim
without a message, whether all lists are empty (EXISTS); then the server announces the next change
of the lists.
"""

import logging
from collections.abc import Callable
from queue import Empty
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from kombu.transport.redis import Channel as KombuChannel
from kombu.transport.redis import SentinelChannel as KombuSentinelChannel
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads
from redis.exceptions import NoScriptError, ResponseError

from scheduler.clock import utc_now
from scheduler.messages import kinds, raw, unpacking
from scheduler.runs import leases
from scheduler.runs.deliveries import Delivery, lost_event, take_keys, with_deliveries
from scheduler.runs.lease_record import worker_name
from scheduler.storage import keys
from scheduler.storage.lua import script_text
from scheduler.worker.transport.qos import Claim, QoS

if TYPE_CHECKING:
    Base = Any
else:
    Base = object

log = logging.getLogger(__name__)

DELIVERY = "beatdesk"
"""Key of a message's `delivery_info` with the `Delivery` of a claimed run, in this process only."""

LOOK_EVERY = 1.0
"""Seconds after which a waiting channel looks by itself."""

UNWATCHED_LOOK_EVERY = 0.1
"""Seconds between two looks on a server without CLIENT TRACKING."""

MOST_OF_A_LARGE_ONE = 65_536
"""Bytes of a message that is too long that are fetched: so many a dead letter has."""

_PUSHED = object()


def _log_refusal(text: bytes, queue: str, reason: str) -> None:
    log.error("a text of %d bytes in the queue %s is no message: %s", len(text), queue, reason)


class ClaimingMixin(Base):
    """The claiming part of a channel, before kombu's class."""

    QoS = QoS

    claimant: str = ""
    """The worker for which runs are taken together with the messages.

    "" takes no runs, as where the runs' Redis is not the broker.
    """

    refuse_text: Callable[[bytes, str, str], None] = staticmethod(_log_refusal)
    """Keeps a text that is no message: text, queue and reason. The consumer sets it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._no_ack_queues: set[str] = set()
        self._question: Literal["claim", "look"] | None = None
        self._is_waiting = False
        self._has_changed = False
        self._looked_at = 0.0
        self._lists: list[str] = []
        self._set_up_socket: Any = None
        self._is_watched = False
        self._claim_digest = ""
        self._command_client: Any = None
        super().__init__(*args, **options)

    @property
    def is_due(self) -> bool:
        """Whether the next claim may be made."""
        if not self._is_waiting or self._has_changed:
            return True
        every = LOOK_EVERY if self._is_watched else UNWATCHED_LOOK_EVERY
        return monotonic() - self._looked_at >= every

    def lists_of(self, payload: Any, exchange: str, routing_key: str) -> list[str]:
        """Return the lists to which a message belongs."""
        priority = self._get_message_priority(payload, reverse=False)
        return [self._q_for_pri(queue, priority) for queue in self._lookup(exchange, routing_key)]

    def _get_message_priority(self, message: Any, reverse: bool = False) -> int:
        """Return the step of a message's priority; the default for an infinite one."""
        step: int
        try:
            step = super()._get_message_priority(message, reverse)
        except OverflowError:
            step = self.default_priority
            if reverse:
                step = self.max_priority - step
        return step

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **options: Any) -> Any:
        """Consume from a queue; without acknowledgement the queue's messages are not noted."""
        if no_ack:
            self._no_ack_queues.add(queue)
        else:
            self._no_ack_queues.discard(queue)
        return super().basic_consume(queue, no_ack, *args, **options)

    def _create_client(self, asynchronous: bool = False) -> Any:
        """Return a client. One serves all commands of a pool; kombu makes one for each command."""
        if asynchronous:
            return super()._create_client(asynchronous=True)
        if self._command_client is None or self._command_client.connection_pool is not self.pool:
            self._command_client = super()._create_client()
        return self._command_client

    def _basic_cancel(self, consumer_tag: str) -> Any:
        """Stop consuming from a queue, after giving back a message that was just claimed."""
        self._give_back_claimed()
        return super()._basic_cancel(consumer_tag)

    def close(self) -> None:
        """Close the channel, and give back the unacknowledged messages."""
        if not self.closed:
            self._give_back_claimed()
        super().close()

    def _brpop_start(self, timeout: float | None = None) -> None:
        """Send a claim."""
        queues = self._queue_cycle.consume(len(self.active_queues))
        if not queues:
            return
        connection = self.client.connection
        if self._set_up_socket is not connection._sock:
            self._set_up(connection)
        pairs = [(queue, step) for step in self.priority_steps for queue in queues]
        self._lists = [self._q_for_pri(queue, step) for queue, step in pairs]
        flags = "".join("0" if self._is_without_ack(queue) else "1" for queue, _ in pairs)
        names = [self.unacked_key, self.unacked_index_key, *take_keys(), *self._lists]
        self._is_waiting = False
        self._send(
            "claim",
            "EVALSHA",
            self._claim_digest,
            len(names),
            *names,
            flags,
            worker_name(self.claimant) if self.claimant else "",
            leases.HELD_SECONDS,
            self.visibility_timeout,
            keys.ALIVE_PREFIX,
            *lost_event(utc_now()),
            unpacking.MOST_BYTES,
            MOST_OF_A_LARGE_ONE,
        )

    def _brpop_read(self, **options: Any) -> bool:
        """Read what the server has sent, and deliver a message. Raises Empty without a message."""
        question = self._question
        try:
            if question is None:
                self._read_announcements()
                raise Empty
            reply = self._read_reply()
        except self.connection_errors:
            # As in kombu: the next turn connects again.
            self.client.connection.disconnect()
            raise
        except NoScriptError:
            self._set_up_socket = None  # the server was emptied or replaced
            raise Empty from None
        if question == "look":
            self._is_waiting = not reply
            self._looked_at = monotonic()
            raise Empty
        message = self._message_in(reply)
        if message is None:
            raise Empty
        payload, queue = message
        self._queue_cycle.rotate(queue)
        self.connection._deliver(payload, queue)
        return True

    def _read_announcements(self) -> None:
        """Read the server's announcements; a closed connection raises."""
        connection = self.client.connection
        connection.read_response(push_request=True)
        while connection.can_read(timeout=0):
            connection.read_response(push_request=True)

    def _read_reply(self) -> Any:
        """Return the reply to the last question."""
        try:
            return self._read_past_announcements(self.client.connection)
        finally:
            self._question = None
            self._in_poll = None

    def _message_in(self, reply: Any) -> tuple[Any, str] | None:
        """Return message and queue in the reply to a claim.

        None for a reply without a message; for empty lists the next question is sent.
        """
        outcome, set_aside, *rest = reply
        for text in set_aside:
            fate, _, run = bytes_to_str(text).partition(" ")
            log.warning(_SET_ASIDE[fate], run)
        if outcome == b"large":
            self._refuse_large(*rest)
        if outcome == b"empty":
            self._has_changed = False
            self._send("look", "EXISTS", *self._lists)
        if outcome != b"message":
            return None
        place, text, tag, begun, unended, is_known = rest
        queue = bytes_to_str(place).rsplit(self.sep, 1)[0]
        try:
            payload = loads(bytes_to_str(text))
            fault = raw.fault_of(payload)
        except Exception as error:  # noqa: BLE001 - anybody may have written any text
            payload, fault = None, f"{type(error).__name__}: {error}"
        if fault is not None:
            self.refuse_text(text, queue, fault)
            if tag:
                self._forget_note(tag)
            return None
        payload = raw.without_unreadable_body(payload)
        if tag:
            self._note(payload, Delivery("start", begun, unended, bool(is_known)))
        return payload, queue

    def _refuse_large(self, place: bytes, beginning: bytes, length: int) -> None:
        """Keep the beginning of a message that is longer than any worker reads."""
        queue = bytes_to_str(place).rsplit(self.sep, 1)[0]
        reason = f"it has {length} bytes, and at most {unpacking.MOST_BYTES} are read"
        self.refuse_text(beginning, queue, reason)

    def _forget_note(self, tag: bytes) -> None:
        """Acknowledge a message that kombu cannot read, by the tag that the server read in it."""
        with self.conn_or_acquire() as client, client.pipeline() as pipe:
            pipe.zrem(self.unacked_index_key, tag).hdel(self.unacked_key, tag).execute()

    def _note(self, payload: Any, delivery: Delivery) -> None:
        """Remember a claimed message, and write Redis's `Delivery` of the run into the message."""
        properties, headers = payload["properties"], payload.get("headers")
        claim = Claim(None)
        if delivery.begun >= 0:
            retries = headers.get("retries")
            claim = Claim(
                headers["id"],
                retries if kinds.is_count(retries) else 0,
                delivery.begun,
            )
            payload["headers"] = with_deliveries(headers, delivery.begun)
            properties["delivery_info"][DELIVERY] = delivery
        self.qos.claims[properties["delivery_tag"]] = claim

    def _give_back_claimed(self) -> None:
        """Give back a message whose claim is on the way: nobody would read the reply any more."""
        if self._question is None:
            return
        question = self._question
        try:
            reply = self._read_reply()
            message = self._message_in(reply) if question == "claim" else None
            if self._question is not None:  # the question that follows an empty claim
                self._read_reply()
            if message is not None:
                tag = message[0]["properties"]["delivery_tag"]
                if tag in self.qos.claims:
                    self.qos.give_back(tag)
                    del self.qos.claims[tag]
                else:
                    self._put(message[1], message[0])
        except (*self.connection_errors, ResponseError) as error:
            log.info("a claim has no reply, its message comes back by itself: %s", error)

    def _is_without_ack(self, queue: str) -> bool:
        return queue in self._no_ack_queues or not self.ack_emulation

    def _send(self, question: Literal["claim", "look"], *command: Any) -> None:
        connection = self.client.connection
        self._question = question
        self._in_poll = connection
        self._brpop_sent_at = monotonic()
        connection.send_command(*command)

    def _set_up(self, connection: Any) -> None:
        """Load the script, and let the server announce changed lists, on a new connection."""
        connection._parser.set_invalidation_push_handler(self._take_announcement)
        connection.send_command("SCRIPT", "LOAD", script_text(__package__, "claim.lua"))
        self._claim_digest = bytes_to_str(self._read_past_announcements(connection))
        try:
            connection.send_command("CLIENT", "TRACKING", "ON")
            self._read_past_announcements(connection)
            self._is_watched = True
        except ResponseError as error:
            self._is_watched = False
            log.warning(
                "the broker announces no changes of queues (CLIENT TRACKING: %s); this worker "
                "looks every %g s",
                error,
                UNWATCHED_LOOK_EVERY,
            )
        self._set_up_socket = connection._sock

    def _read_past_announcements(self, connection: Any) -> Any:
        reply = _PUSHED
        while reply is _PUSHED:
            reply = connection.read_response(push_request=True)
        return reply

    def _take_announcement(self, _message: Any) -> object:
        self._has_changed = True
        return _PUSHED

    def _on_connection_disconnect(self, connection: Any) -> None:
        """Begin anew after a lost connection."""
        client = self.__dict__.get("client")  # kombu makes it when it is first used
        if client is not None and client.connection is connection:
            self._question = None
            self._is_waiting = False
        super()._on_connection_disconnect(connection)


_SET_ASIDE = {
    "ended": "run %s has ended: its message, which was not acknowledged, is dropped",
    "wait": "run %s may be alive already, its message waits",
}


class Channel(ClaimingMixin, KombuChannel):
    """A claiming channel to a Redis server."""


class SentinelChannel(ClaimingMixin, KombuSentinelChannel):
    """A claiming channel to the primary behind Redis Sentinel."""
