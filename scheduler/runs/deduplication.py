"""Messages that came by the outbox may be there twice: which of them becomes the run.

The relay gives each message that it publishes a mark of its own. A worker takes a run for the mark
that it sees first, in one script, before it makes a task of the message; from then on every other
message of the run is dropped, whatever becomes of the first, which stays with the broker until its
run is over. When it is over, that is remembered: for ten minutes, in which a message whose
acknowledgement was lost comes again, and for a week where the relay had to publish in doubt. Both
are forgotten by the relay (`published.lua`).
"""

from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler.runs.own_header import decode
from scheduler.storage import keys
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

DOUBTFUL_SECONDS = 7 * 86_400
"""How long a run is remembered that may have a second message: as long as a message may wait in its
queue.
"""


class DeliveryClaim(NamedTuple):
    """The message of a first attempt that the relay has published."""

    run: str
    mark: str


class Deduplication:
    """The question, for any number of runs."""

    def __init__(self, redis: "Redis") -> None:
        self._claim = redis.register_script(script_text(__package__, "claim.lua"))

    def take(self, marked: DeliveryClaim) -> bool:
        """Is this message the one that becomes the run? Raises redis.RedisError."""
        said: Any = self._claim(
            keys=[keys.OUTBOX_CLAIMS_HASH, keys.OUTBOX_CLAIMS_ZSET, keys.LEASE_OWNERS_HASH],
            args=[marked.run, marked.mark, DOUBTFUL_SECONDS],
        )
        return bool(said)


def marked(headers: dict[str, Any]) -> DeliveryClaim | None:
    """The relay's mark in these headers; none for other messages, and for further attempts."""
    run, mark = headers.get("id"), decode(headers).outbox
    if mark is None or not isinstance(run, str) or headers.get("retries"):
        return None
    return DeliveryClaim(run, mark)
