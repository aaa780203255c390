"""Carries out the writes of a batch: one script, each entry whole or not at all (`fire.lua`)."""

from collections.abc import Sequence
from typing import Any

from scheduler.beat.entry_writes import EntryWrite
from scheduler.beat.leader import Leader, LostLock
from scheduler.beat.script_pipeline import PendingReply, ScriptPipeline
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
        arguments: list[Any] = [
            self._leader.token or "",
            FIELD,
            keys.ALIVE_PREFIX,
            keys.WAITING_PREFIX,
        ]
        for write in writes:
            arguments += write.parts
        return PendingResults(self._pipeline.send(self._script, self._keys, arguments))


class PendingResults:
    """The results of writes, not yet read."""

    def __init__(self, pending: PendingReply) -> None:
        self._pending = pending

    def wait(self) -> list[str]:
        """For each write DONE, STALE, or the server's reason for its refusal. Raises LostLock."""
        reply: Any = self._pending.wait()
        if reply == -1:
            raise LostLock
        return list(map(_result, reply))


def _result(reply: Any) -> str:
    if reply == 1:
        return DONE
    if reply == 0:
        return STALE
    return text_of(reply) or "the server gives no reason"
