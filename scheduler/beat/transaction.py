"""Carries out the writes of a batch: one script, each entry whole or not at all (`fire.lua`)."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from scheduler.beat.entry_writes import USUAL_WIDTH, EntryWrite, Neighbours
from scheduler.beat.leader import Leader, LostLock
from scheduler.beat.script_pipeline import PendingReply, ScriptPipeline
from scheduler.beat.text_list import packed_list, packed_texts
from scheduler.events.schema import FIELD
from scheduler.storage import keys
from scheduler.storage.scripts import Script, text_of

DONE = ""
"""A write was carried out."""

STALE = "0"
"""A write was not carried out: the entry has changed since the read."""


class Transaction:
    """The script, with the keys shared by all entries."""

    def __init__(self, pipeline: ScriptPipeline, leader: Leader, names: keys.Names) -> None:
        self._pipeline = pipeline
        self._leader = leader
        self._script = Script(__package__, "fire.lua")
        self._keys = [
            names.lock,
            names.schedule,
            keys.EVENTS_STREAM,
            keys.LEASES_ZSET,
            keys.LEASE_OWNERS_HASH,
            keys.ASIDE_HASH,
        ]

    def carry_out(self, writes: Sequence[EntryWrite]) -> "PendingResults":
        """Send the writes, without waiting for the reply. Raises redis.RedisError."""
        arguments = [
            self._leader.token or "",
            FIELD,
            keys.ALIVE_PREFIX,
            keys.WAITING_PREFIX,
            packed(writes),
        ]
        return PendingResults(self._pipeline.send(self._script, self._keys, arguments), len(writes))


def packed(writes: Sequence[EntryWrite]) -> bytes:
    """Return writes as `fire.lua` reads them: neighbours in the usual form together, all others one
    by one.
    """
    count = 0
    packs: list[bytes] = []
    for neighbours, group in groupby(writes, _neighbours_of):
        if neighbours is None:
            for write in group:
                count += 1 + len(write.parts)
                packs.append(packed_texts(("e", *write.parts)))
        else:
            entries = [write.usual.packed for write in group if write.usual is not None]
            has_extra = "1" if neighbours.has_extra else "0"
            head = ("u", len(entries), neighbours.queue, has_extra, neighbours.alive_until)
            count += len(head) + USUAL_WIDTH * len(entries)
            packs += (packed_texts(head), *entries)
    return packed_list(count, b"".join(packs))


def _neighbours_of(write: EntryWrite) -> Neighbours | None:
    return None if write.usual is None else write.usual.neighbours


class PendingResults:
    """The results of writes, not yet read."""

    def __init__(self, pending: PendingReply, count: int) -> None:
        self._pending = pending
        self._count = count

    def wait(self) -> list[str]:
        """For each write DONE, STALE, or the server's reason for its refusal. Raises LostLock."""
        reply: Any = self._pending.wait()
        if reply == -1:
            raise LostLock
        if reply == self._count:
            return [DONE] * self._count
        return list(map(_result, reply))


def _result(reply: Any) -> str:
    if reply == 1:
        return DONE
    if reply == 0:
        return STALE
    return text_of(reply) or "the server gives no reason"
