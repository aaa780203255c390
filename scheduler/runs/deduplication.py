"""Deduplication of messages from the outbox: the choice between two copies of a message.

The relay may publish a message twice, and puts a different mark into each copy. A worker claims the
run for the first mark to arrive, in one script, before making a task of the message; from then on
every other message of the run is dropped, whatever happens to the first message, which stays with
the broker until the run is over.

The end of the run is remembered for ten minutes, in which a message with a lost acknowledgement
comes again; and for a week where the relay could not tell whether the message was published
(`DOUBTFUL_SECONDS`). The relay forgets both (`published.lua`).
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler.runs.own_header import decode
from scheduler.storage import keys
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

DOUBTFUL_SECONDS = 7 * 86_400
"""Seconds for which a run with a possible second message is remembered.

A message may wait in a queue for just as long.
"""


class DeliveryClaim(NamedTuple):
    """The claim of a published message on a run; `mark` is the relay's mark in the message."""

    run: str
    mark: str


class Deduplication:
    """The claims of messages on runs, in Redis."""

    def __init__(self, redis: "Redis") -> None:
        self._claim = redis.register_script(script_text(__package__, "claim.lua"))

    def take(self, claim: DeliveryClaim) -> bool:
        """Claim the run for a message. Raises redis.RedisError.

        True where the message has the run, also when a message claims again; False where another
        message has the run.
        """
        reply: Any = self._claim(
            keys=[keys.OUTBOX_CLAIMS_HASH, keys.OUTBOX_CLAIMS_ZSET, keys.LEASE_OWNERS_HASH],
            args=[claim.run, claim.mark, DOUBTFUL_SECONDS],
        )
        return bool(reply)


def delivery_claim_of(headers: dict[str, Any]) -> DeliveryClaim | None:
    """Return the claim that a message makes by its headers.

    None for a further attempt, and for a message without a mark of the outbox.
    """
    run = headers.get("id")
    mark = decode(headers).outbox
    if mark is None or not isinstance(run, str) or headers.get("retries"):
        return None
    return DeliveryClaim(run, mark)
