"""Which of several Beats leads: the one that holds RedBeat's lock, with a token never used before.

    stand by ──the lock is free──▶ lead ──the lock is another's, or gone──▶ stand by

The lock is stock's own key, so that a stock Beat and ours exclude each other. Each read of due
entries renews it by comparing (`read_due.lua`), idle or not, and every transaction checks it
(`fire.lua`): a process that was frozen while another took over can write nothing any more. The
epoch grows with each leader. A lost lock ends no process.
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
"""Seconds to wait for a lock that has no expiry."""


class LostLock(BeatdeskError):
    """The lock is not this Beat's any more: another Beat has it, or none."""


class Leader:
    """This process as a candidate. `ttl` is how many seconds the lock outlives its holder."""

    def __init__(self, redis: "Redis", lock: str, ttl: float) -> None:
        self._lock = lock
        self.ttl_ms = int(ttl * 1000)
        self.identity = f"{socket.gethostname()}:{os.getpid()}:{uuid4()}"
        self.token: str | None = None
        self._take = ServerScript(redis, __package__, "lead.lua")
        self._leave = ServerScript(redis, __package__, "leave.lua")

    @property
    def epoch(self) -> int:
        """The number of this leadership; 0 while it stands by."""
        return 0 if self.token is None else int(self.token.split(":", 1)[0])

    def try_to_lead(self) -> float:
        """Take the lock where it is free. Returns the seconds to wait before the next try, 0 where
        this Beat leads now. Raises redis.RedisError.
        """
        won, reply = self._take([self._lock, keys.BEAT_EPOCH], [self.identity, self.ttl_ms])
        if not won:
            return _NO_EXPIRY_WAIT if reply < 0 else reply / 1000
        self.token = reply.decode()
        return 0.0

    def step_down(self) -> None:
        """Note that the lock is lost."""
        self.token = None

    def leave(self) -> None:
        """Release the lock where this Beat has it, even where the reply to its last try was lost.

        Raises redis.RedisError.
        """
        self.token = None
        self._leave([self._lock], [self.identity, keys.WAKE_CHANNEL, LEFT])
