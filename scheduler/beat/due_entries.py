"""Reads of due entries, in one round trip each, with the state needed for the plan."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from scheduler.beat.leader import Leader, LostLock
from scheduler.beat.script_pipeline import PendingReply, ScriptPipeline
from scheduler.redbeat.codec import Raw
from scheduler.rules.model.identity import NAMESPACE
from scheduler.storage import keys
from scheduler.storage.scripts import Script, text_of

_HEAD = 5
"""Values of a reply before those of the entries."""

_FIELDS = 5
"""Values of one entry in a reply."""

_NO_TICKS: Sequence[bytes] = ()


class DueEntry(NamedTuple):
    """A due entry as read, in bytes: most entries are in the cache, and need no decoding."""

    key: bytes
    name_bytes: bytes
    due: bytes
    """The due time, in seconds since 1970."""

    definition: bytes | None
    meta: bytes | None
    extra: bytes | None
    static: int
    """1 for an entry from `beat_schedule`, else 0."""

    alive: int
    """The number of the schedule's runs that are not final."""

    waiting: Sequence[bytes]
    """The schedule's waiting ticks, the oldest first (`redbeat.waiting`)."""

    fault: bytes | None
    """The server's error for a key of a wrong type; None for a sound key."""

    @property
    def name(self) -> str:
        """The schedule's name."""
        return self.name_bytes.decode("utf-8", "surrogateescape")

    @property
    def score(self) -> float:
        """The due time, in seconds since 1970."""
        return float(self.due)

    @property
    def fields(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """The three stored fields."""
        return self.definition, self.meta, self.extra

    @property
    def raw(self) -> Raw:
        """The three stored fields as text."""
        return Raw(text_of(self.definition), text_of(self.meta), text_of(self.extra))


class DueBatch(NamedTuple):
    """Due entries, the longest due first, and the server's time at the read.

    `next_due` is the first due time after the read, `oldest_due` the earliest of all, both in
    seconds since 1970; None without such an entry.
    """

    now: datetime
    next_due: float | None
    oldest_due: float | None
    entries: list[DueEntry]


class PendingBatch:
    """A read without a reply yet."""

    def __init__(self, pending: PendingReply, prefix: str) -> None:
        self._pending = pending
        self._cut = len(prefix.encode())

    def wait(self) -> DueBatch:
        """The batch, after its arrival. Raises LostLock, redis.RedisError."""
        reply: Any = self._pending.wait()
        if not reply:
            raise LostLock
        now, next_due, oldest_due, alive_counts, remarks = reply[:_HEAD]
        seconds, micros = now.split(b".")
        return DueBatch(
            now=datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micros)),
            next_due=None if next_due is None else float(next_due),
            oldest_due=None if oldest_due is None else float(oldest_due),
            entries=self._entries(reply, alive_counts, remarks),
        )

    def _entries(
        self, reply: list[Any], alive_counts: list[int], remarks: list[Any]
    ) -> list[DueEntry]:
        """The entries of a reply, in the order of `read_due.lua`."""
        count = (len(reply) - _HEAD) // _FIELDS
        statics = [0] * count
        waiting = [_NO_TICKS] * count
        faults = [None] * count
        for number, static, ticks, fault in remarks:
            statics[number - 1] = static
            waiting[number - 1] = ticks
            faults[number - 1] = fault
        cut = self._cut
        names = [key[cut:] for key in reply[_HEAD::_FIELDS]]
        columns = [reply[_HEAD + field :: _FIELDS] for field in range(_FIELDS)]
        alive = alive_counts or [0] * count
        rows = zip(columns[0], names, *columns[1:], statics, alive, waiting, faults, strict=True)
        return list(map(DueEntry._make, rows))


class DueEntryReader:
    """Reads due entries; each read renews the leader's lock."""

    def __init__(self, pipeline: ScriptPipeline, leader: Leader, names: keys.Names) -> None:
        self._pipeline = pipeline
        self._leader = leader
        self._names = names
        self._script = Script(__package__, "read_due.lua")

    def fetch(self, skip: int, limit: int) -> PendingBatch:
        """Ask for at most `limit` due entries after the first `skip`. Raises redis.RedisError."""
        names = self._names
        pending = self._pipeline.send(
            self._script,
            [names.lock, names.schedule, names.statics],
            [
                self._leader.token or "",
                self._leader.ttl_ms,
                skip,
                limit,
                keys.ALIVE_PREFIX,
                keys.WAITING_PREFIX,
                names.prefix,
                NAMESPACE.bytes,
            ],
        )
        return PendingBatch(pending, names.prefix)
