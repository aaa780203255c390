"""Carries out the steps of a chunk: one script, in which each entry is fired whole or not at
all.
"""

from collections.abc import Sequence
from typing import Any

from scheduler.beat.leader import Leader, LostLock
from scheduler.beat.script_pipeline import PendingReply, ScriptPipeline
from scheduler.beat.steps import Step
from scheduler.events.schema import FIELD
from scheduler.storage import keys
from scheduler.storage.scripts import Script, text_of

MOVED_ON = "0"
"""An entry is not as it was read."""


class Transaction:
    """The script."""

    def __init__(self, line: ScriptPipeline, leader: Leader, names: keys.Names) -> None:
        self._line = line
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

    def carry_out(self, steps: Sequence[Step]) -> "Outcome":
        """Let it be done, without waiting for it. Raises redis.RedisError."""
        arguments: list[Any] = [
            self._leader.token or "",
            FIELD,
            keys.ALIVE_PREFIX,
            keys.WAITING_PREFIX,
        ]
        for step in steps:
            arguments += step.parts
        return Outcome(self._line.ask(self._script, self._keys, arguments))


class Outcome:
    """What becomes of the steps."""

    def __init__(self, asked: PendingReply) -> None:
        self._asked = asked

    def each(self) -> list[str]:
        """For each step nothing where it is done, MOVED_ON, or why the server refused it. Raises
        LostLock.
        """
        answer: Any = self._asked.answer()
        if answer == -1:
            raise LostLock
        return [
            ""
            if said == 1
            else MOVED_ON
            if said == 0
            else (text_of(said) or "the server said nothing")
            for said in answer
        ]
