"""Messages that came by the outbox may be there twice: which of them becomes the run.

A worker takes such a run in one script before it makes a task of its message, so that of two workers with a copy each
one is told to drop it. A run that is over is remembered only while a second copy of it can come: while its entry is in
the outbox, and where the relay had to publish it in doubt.
"""

from enum import Enum
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler import keys
from scheduler.runs.facts import COPY_MARK, HEADER
from scheduler.runs.leases import HELD_SECONDS, QUEUED_SECONDS, worker_word

if TYPE_CHECKING:
    from redis import Redis

REMEMBERED_SECONDS = QUEUED_SECONDS
"""How long a doubtful run is remembered: as long as a message may wait in its queue."""


class Claim(Enum):
    """What to do with a message."""

    TAKE = "take"
    WAIT = "wait"
    """A worker has the run, and the broker has given its message out again: perhaps that worker is dead."""

    DROP = "drop"
    """The run is another worker's, or over: this is a second copy."""


class Marked(NamedTuple):
    """A message's first attempt, as the relay marked it."""

    run: str
    entry: str
    uid: str
    name: str


class Copies:
    """The question, for any number of runs."""

    def __init__(self, redis: "Redis") -> None:
        self._claim = redis.register_script(files(__package__).joinpath("claim.lua").read_text(encoding="utf-8"))

    def claim(self, marked: Marked, worker: str, *, redelivered: bool, waited: bool) -> Claim:
        """Take the run for this worker, if it may have it. Raises redis.RedisError."""
        said: Any = self._claim(
            keys=[
                keys.LEASES_ZSET,
                keys.LEASE_OWNERS_HASH,
                keys.ALIVE_PREFIX + marked.uid,
                keys.OUTBOX_STREAM,
                keys.OUTBOX_CLAIMS_ZSET,
                keys.OUTBOX_DOUBTS_ZSET,
            ],
            args=[
                marked.run,
                1,
                marked.entry,
                HELD_SECONDS,
                marked.uid,
                worker_word(worker),
                marked.name,
                int(redelivered),
                int(waited),
            ],
        )
        return Claim(said)


def marked(headers: dict[str, Any]) -> Marked | None:
    """What the relay has said in these headers; none for other messages, and for further attempts."""
    said, run = headers.get(HEADER), headers.get("id")
    if not isinstance(said, dict) or not isinstance(run, str) or headers.get("retries"):
        return None
    entry, uid, name = said.get(COPY_MARK), said.get("schedule_uid"), said.get("schedule")
    if not (isinstance(entry, str) and isinstance(uid, str) and isinstance(name, str)):
        return None
    first, _, second = entry.partition("-")
    usable = first.isdecimal() and second.isdecimal() and len(uid.split()) == 1
    return Marked(run, entry, uid, name) if usable else None
