"""The election of the leading Beat: the holder of RedBeat's lock, with a token never used before.

    stand by ──the lock is free──▶ lead ──the lock is another's, or gone──▶ stand by

The lock is stock's own key, so a stock Beat and a Beat of Beatdesk exclude each other. Each read of
due entries compares the token and renews the lock (`read_due.lua`), idle or not, and every
transaction checks the token (`fire.lua`): a process frozen during a take-over can write nothing any
more. The epoch grows with each leader. A lost lock ends no process.
"""

import os
import socket
from typing import TYPE_CHECKING
from uuid import uuid4

from scheduler.errors import BeatdeskError
from scheduler.storage import keys
from scheduler.storage.scripts import ServerScript

if TYPE_CHECKING:
    from redis import Redis

LEFT = "beat left"
"""The message on the wake channel when a leader leaves in order."""

_NO_EXPIRY_WAIT = 1.0
"""Seconds to wait for a lock without an expiry."""


class LostLock(BeatdeskError):
    """The lock is not held by this Beat any more: another Beat has the lock, or none."""


class Leader:
    """This process as a candidate. `ttl` is the lock's life in seconds after its last renewal."""

    def __init__(self, redis: "Redis", lock: str, ttl: float) -> None:
        self._lock = lock
        self.ttl_ms = int(ttl * 1000)
        self.identity = f"{socket.gethostname()}:{os.getpid()}:{uuid4()}"
        self.token: str | None = None
        self._take = ServerScript(redis, __package__, "lead.lua")
        self._leave = ServerScript(redis, __package__, "leave.lua")

    @property
    def epoch(self) -> int:
        """The number of this leadership; 0 for a stand-by."""
        return 0 if self.token is None else int(self.token.split(":", 1)[0])

    def try_to_lead(self) -> float:
        """Take the lock if free. Returns the seconds to wait before the next try, 0 for a Beat that
        leads now. Raises redis.RedisError.
        """
        won, reply = self._take([self._lock, keys.BEAT_EPOCH], [self.identity, self.ttl_ms])
        if not won:
            return _NO_EXPIRY_WAIT if reply < 0 else reply / 1000
        self.token = reply.decode()
        return 0.0

    def step_down(self) -> None:
        """Record the loss of the lock."""
        self.token = None

    def leave(self) -> None:
        """Release the lock if held by this Beat, even after a lost reply to the last try.

        Raises redis.RedisError.
        """
        self.token = None
        self._leave([self._lock], [self.identity, keys.WAKE_CHANNEL, LEFT])
