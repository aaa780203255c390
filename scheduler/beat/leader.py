"""Who of several Beats fires: whoever holds RedBeat's lock, with a token that nobody had before.

    stand by ──the lock is free──▶ lead ──the lock is another's, or gone──▶ stand by

The lock is stock's own key, so that a stock Beat and ours exclude each other. Each look at the
schedule renews it by comparing (`look.lua`), idle or not, and every transaction asks for it
(`fire.lua`): who was frozen while another took over can write nothing any more. Its epoch grows
with each leader. A lost lock ends no process.
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
"""What is said on the wake channel when a leader leaves in order."""

_FOREVER = 1.0


class LostLock(BeatdeskError):
    """Another Beat leads, or nobody does: the lock is not this one's any more."""


class Leader:
    """This process as a candidate. `ttl` is how many seconds the lock outlives its holder."""

    def __init__(self, redis: "Redis", lock: str, ttl: float) -> None:
        self._lock, self.ttl_ms = lock, int(ttl * 1000)
        self.identity = f"{socket.gethostname()}:{os.getpid()}:{uuid4()}"
        self.token: str | None = None
        self._take = ServerScript(redis, __package__, "lead.lua")
        self._leave = ServerScript(redis, __package__, "leave.lua")

    @property
    def epoch(self) -> int:
        """The number of this leadership; 0 while it stands by."""
        return 0 if self.token is None else int(self.token.split(":", 1)[0])

    def try_to_lead(self) -> float:
        """Take the lock where it is free. How many seconds to wait before the next try; 0 where it
        leads now.
        """
        won, said = self._take([self._lock, keys.BEAT_EPOCH], [self.identity, self.ttl_ms])
        if not won:
            return _FOREVER if said < 0 else said / 1000
        self.token = said.decode()
        return 0.0

    def step_down(self) -> None:
        """The lock is not ours any more."""
        self.token = None

    def leave(self) -> None:
        """Give the lock back, if it is ours, even where the answer to the last try was not read any
        more.

        Raises redis.RedisError.
        """
        self.token = None
        self._leave([self._lock], [self.identity, keys.WAKE_CHANNEL, LEFT])
