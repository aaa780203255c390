"""Unacknowledged messages of a claiming channel: acknowledging and giving back, in one script each.

A message is changed only as it was read: between reading and giving back, the message may have been
acknowledged, or another worker may have the run. All ages are measured by the server's clock.
"""

import json
from typing import Any, NamedTuple

from kombu.transport import virtual
from kombu.transport.redis import QoS as KombuQoS
from kombu.utils.encoding import bytes_to_str
from redis.exceptions import RedisError

from scheduler.runs import leases
from scheduler.runs.lease_record import worker_name
from scheduler.storage import keys
from scheduler.storage.scripts import ServerScript
from scheduler.storage.server_time import seconds_of

MOST_RESTORED = 500
"""Messages of dead workers that a look gives back, at most."""


class Claim(NamedTuple):
    """A message that the channel has taken and not acknowledged."""

    run: str | None
    """None for a message without a run, and for a run that was not taken with the message."""

    retries: int = 0
    begun: int = 0
    """Earlier deliveries of the run that began and did not end."""


class KeptMessage(NamedTuple):
    """A message that outlives the channel of its arrival."""

    tag: str
    message: Any
    claim: Claim | None


class QoS(KombuQoS):
    """Acknowledgement for messages that are noted when claimed."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.claims: dict[str, Claim] = {}
        """Claims by delivery tag."""

    def append(self, message: Any, delivery_tag: str) -> None:
        """Add a message; an unclaimed message is noted in Redis, as kombu does."""
        if delivery_tag in self.claims:
            virtual.QoS.append(self, message, delivery_tag)
        else:
            super().append(message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message, unless another worker has the run by now."""
        claim = self.claims.get(delivery_tag)
        if claim is None or claim.run is None:
            super().ack(delivery_tag)
        else:
            self._settle(delivery_tag, claim)
            virtual.QoS.ack(self, delivery_tag)
        self.claims.pop(delivery_tag, None)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Drop a message, or put it behind the others of its queue for another delivery."""
        if not requeue:
            self.ack(delivery_tag)
            return
        self.give_back(delivery_tag, has_begun=True, is_last=True)
        self.let_go(delivery_tag)

    def let_go(self, delivery_tag: str) -> None:
        """Forget a message here, and leave the message unchanged in Redis."""
        self.claims.pop(delivery_tag, None)
        virtual.QoS.ack(self, delivery_tag)

    def unacknowledged(self) -> list[str]:
        """Return the tags of the messages that are neither acknowledged nor given back."""
        self._flush()
        return list(self._delivered)

    def hand_over(self) -> list["KeptMessage"]:
        """Take the unacknowledged messages away from the channel, so that its end gives none back.

        `take_over` of another channel continues with the messages.
        """
        self._flush()
        kept = [
            KeptMessage(tag, message, self.claims.get(tag))
            for tag, message in self._delivered.items()
        ]
        self._delivered.clear()
        self.claims.clear()
        return kept

    def take_over(self, kept: "KeptMessage") -> None:
        """Continue with a message of another channel: the message is acknowledged here."""
        kept.message.channel = self.channel
        self._delivered[kept.tag] = kept.message
        if kept.claim is not None:
            self.claims[kept.tag] = kept.claim

    def restore_by_tag(self, tag: str, client: Any = None, leftmost: bool = False) -> None:
        """Put an unacknowledged message into its queue again."""
        self.give_back(tag, is_last=leftmost)

    def restore_unacked(self, client: Any = None) -> None:
        """Give back every message that the channel has not acknowledged."""
        self._flush()
        for tag in list(self._delivered):
            self.give_back(tag)
        self._delivered.clear()
        self.claims.clear()

    def restore_visible(self, start: int = 0, num: int | None = 10, interval: int = 10) -> None:
        """Put messages of dead workers into their queues again.

        Dead workers' messages are those not renewed for longer than the visibility time-out.
        """
        self._vrestore_count += 1
        if (self._vrestore_count - 1) % (interval or 1):
            return
        with self.channel.conn_or_acquire() as client:
            before = seconds_of(client.time()) - self.visibility_timeout
            due = client.zrange(
                self.unacked_index_key,
                before,
                0,
                desc=True,
                byscore=True,
                offset=0,
                num=num or MOST_RESTORED,
            )
            for tag in due:
                self._give_back_or_refuse(client, tag)

    def _give_back_or_refuse(self, client: Any, tag: str | bytes) -> None:
        """Give a message of a dead worker back; a note that is no message must not stop the others.

        Raises the server's errors.
        """
        try:
            self.give_back(tag, is_own=False)
        except RedisError:
            raise
        except Exception as error:  # noqa: BLE001 - anybody may have written any text
            text = client.hget(self.unacked_key, tag) or b""
            reason = f"{type(error).__name__}: {error}"
            self.channel.refuse_text(text, "unacked", reason)
            client.zrem(self.unacked_index_key, tag)
            client.hdel(self.unacked_key, tag)

    def give_back(
        self,
        tag: str | bytes,
        *,
        is_own: bool = True,
        has_begun: bool = False,
        is_last: bool = False,
    ) -> bool:
        """Put a message into its queue again, and return the lease of the run to the queue.

        `is_own` is False for a message of another worker, which has to be as old as the visibility
        time-out. `has_begun`: the calling worker has begun with the run, so that the next delivery
        is another attempt. Returns False where the message is acknowledged, or another worker's.
        """
        channel = self.channel
        with channel.conn_or_acquire() as client:
            text = client.hget(self.unacked_key, tag)
            if text is None:
                client.zrem(self.unacked_index_key, tag)
                return False
            payload, exchange, routing_key = json.loads(bytes_to_str(text))  # as when it was taken
            run = _run_of(payload) if is_own and channel.claimant else ""
            script = ServerScript(client, __package__, "give_back.lua")
            reply: Any = script(
                keys=[
                    self.unacked_key,
                    self.unacked_index_key,
                    keys.LEASES_ZSET,
                    keys.LEASE_OWNERS_HASH,
                    keys.DELIVERIES_HASH,
                    keys.DELIVERIES_ZSET,
                    keys.ENDED_ZSET,
                    *channel.lists_of(payload, exchange, routing_key),
                ],
                args=[
                    tag,
                    text,
                    json.dumps(_redelivered(payload)),
                    "LPUSH" if is_last else "RPUSH",
                    "" if is_own else self.visibility_timeout,
                    run,
                    worker_name(channel.claimant),
                    int(has_begun),
                    leases.QUEUED_SECONDS,
                    keys.ALIVE_PREFIX,
                    _retries_of(payload),
                ],
            )
        return bool(reply)

    def _settle(self, tag: str, claim: Claim) -> None:
        """Acknowledge the message of a run."""
        with self.channel.conn_or_acquire() as client:
            script = ServerScript(client, __package__, "settle.lua")
            script(
                keys=[
                    self.unacked_key,
                    self.unacked_index_key,
                    keys.LEASE_OWNERS_HASH,
                    keys.ENDED_ZSET,
                    keys.DELIVERIES_HASH,
                    keys.DELIVERIES_ZSET,
                ],
                args=[tag, claim.run, claim.retries, worker_name(self.channel.claimant)],
            )


def _run_of(payload: Any) -> str:
    """The id of a message's run; "" where there is none."""
    headers = payload.get("headers")
    run = headers.get("id") if isinstance(headers, dict) else None
    return run if isinstance(run, str) else ""


def _retries_of(payload: Any) -> int:
    """The retries of a message's attempt, as the claim reads them."""
    headers = payload.get("headers")
    retries = headers.get("retries") if isinstance(headers, dict) else None
    return retries if type(retries) is int and retries >= 0 else 0


def _redelivered(payload: Any) -> Any:
    """The message with kombu's marks of a further delivery."""
    headers = payload.get("headers")
    if isinstance(headers, dict):
        headers["redelivered"] = True
        delivery = payload["properties"].get("delivery_info")
        if isinstance(delivery, dict):
            delivery["redelivered"] = True
    return payload
