"""Turns of loops that exist in several processes: the one with the lock looks, the others wait."""

from enum import StrEnum
from typing import TYPE_CHECKING

from scheduler.storage.scripts import ServerScript

if TYPE_CHECKING:
    from redis import Redis


class Turn(StrEnum):
    """Whose turn it is."""

    NEW = "new"
    """The lock was free, and is the caller's now: earlier looks of the caller are out of date."""

    HELD = "held"
    """The caller has had the lock since its last look."""

    OTHERS = "others"
    """Another loop has the lock."""


class TurnLock:
    """A lock in Redis that one of several loops has; `name` identifies the loop among them.

    `lasts_ms` is the time after which the lock of a loop that has ended is free again.
    """

    def __init__(self, redis: "Redis", key: str, name: str, lasts_ms: int) -> None:
        self._script = ServerScript(redis, __package__, "turn.lua")
        self._key = key
        self._name = name
        self._lasts_ms = lasts_ms

    def take(self) -> Turn:
        """Take a free lock, or renew a held one. Raises redis.RedisError."""
        return Turn(self._script([self._key], [self._name, self._lasts_ms]).decode())
