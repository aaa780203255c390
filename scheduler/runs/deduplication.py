"""Deduplication of messages that came by the outbox: which of two copies becomes the run.

The relay may publish a message twice, and gives each that it publishes a mark of its own. A worker
claims the run for the first mark that arrives, in one script, before it makes a task of the
message; from then on every other message of the run is dropped, whatever becomes of the first,
which stays with the broker until its run is over.

The end of the run is remembered: for ten minutes, in which a message whose acknowledgement was lost
comes again, and for a week where the relay could not tell whether it had published
(`DOUBTFUL_SECONDS`). The relay forgets both (`published.lua`).
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler.runs.own_header import decode
from scheduler.storage import keys
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

DOUBTFUL_SECONDS = 7 * 86_400
"""Seconds for which a run is remembered that may have a second message: as long as a message may
wait in its queue.
"""


class DeliveryClaim(NamedTuple):
    """The claim of one published message on its run; `mark` is the relay's."""

    run: str
    mark: str


class Deduplication:
    """The claims of messages on runs, in Redis."""

    def __init__(self, redis: "Redis") -> None:
        self._claim = redis.register_script(script_text(__package__, "claim.lua"))

    def take(self, claim: DeliveryClaim) -> bool:
        """Claim the run for a message. True where the run is this message's, also when it claims
        again; False where another message has the run. Raises redis.RedisError.
        """
        reply: Any = self._claim(
            keys=[keys.OUTBOX_CLAIMS_HASH, keys.OUTBOX_CLAIMS_ZSET, keys.LEASE_OWNERS_HASH],
            args=[claim.run, claim.mark, DOUBTFUL_SECONDS],
        )
        return bool(reply)


def delivery_claim_of(headers: dict[str, Any]) -> DeliveryClaim | None:
    """The claim that a message makes by its headers.

    None for a message that did not come by the outbox, and for a further attempt.
    """
    run = headers.get("id")
    mark = decode(headers).outbox
    if mark is None or not isinstance(run, str) or headers.get("retries"):
        return None
    return DeliveryClaim(run, mark)
