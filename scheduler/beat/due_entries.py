"""One look at the schedule: what is due, with all that is needed to decide about it, in one round
trip.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from scheduler.beat.leader import Leader, LostLock
from scheduler.beat.script_pipeline import PendingReply, ScriptPipeline
from scheduler.redbeat.codec import Raw
from scheduler.rules.model.identity import NAMESPACE
from scheduler.storage import keys
from scheduler.storage.scripts import Script, text_of


class DueEntry(NamedTuple):
    """An entry that is due, as it was read, in bytes: most of them are known already, and need not
    be understood.
    """

    key: bytes
    name_bytes: bytes
    due: bytes
    """Its due time, in seconds."""

    definition: bytes | None
    meta: bytes | None
    extra: bytes | None
    static: int
    alive: int
    waiting: list[bytes]
    fault: bytes | None
    """What is wrong with its key."""

    @property
    def name(self) -> str:
        """The schedule's name."""
        return self.name_bytes.decode("utf-8", "surrogateescape")

    @property
    def score(self) -> float:
        """Its due time, in seconds."""
        return float(self.due)

    @property
    def fields(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """What there is to read."""
        return self.definition, self.meta, self.extra

    @property
    def raw(self) -> Raw:
        """The same as text."""
        return Raw(text_of(self.definition), text_of(self.meta), text_of(self.extra))


class DueBatch(NamedTuple):
    """What was seen, the longest due first. `coming` is the next due time that has not come,
    `oldest` the longest due.

    `now` is the server's time.
    """

    now: datetime
    coming: float | None
    oldest: float | None
    seen: list[DueEntry]


class PendingBatch:
    """A look that is on its way."""

    def __init__(self, asked: PendingReply) -> None:
        self._asked = asked

    def look(self) -> DueBatch:
        """Wait for it. Raises LostLock, redis.RedisError."""
        answer: Any = self._asked.answer()
        if not answer:
            raise LostLock
        now, coming, oldest, *entries = answer
        seconds, micros = now.split(b".")
        return DueBatch(
            now=datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros)),
            coming=None if coming is None else float(coming),
            oldest=None if oldest is None else float(oldest),
            seen=list(map(DueEntry._make, entries)),
        )


class DueEntryReader:
    """Looks. Each look renews the leader's lock."""

    def __init__(self, line: ScriptPipeline, leader: Leader, names: keys.Names) -> None:
        self._line, self._leader, self._names = line, leader, names
        self._script = Script(__package__, "look.lua")

    def glance(self, passed: int, most: int) -> PendingBatch:
        """Ask for up to `most` due entries after the first `passed`. Raises redis.RedisError."""
        names = self._names
        asked = self._line.ask(
            self._script,
            [names.lock, names.schedule, names.statics],
            [
                self._leader.token or "",
                self._leader.ttl_ms,
                passed,
                most,
                keys.ALIVE_PREFIX,
                keys.WAITING_PREFIX,
                names.prefix,
                NAMESPACE.bytes,
            ],
        )
        return PendingBatch(asked)
