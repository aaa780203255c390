"""The message audit's loop: times of looks, and turns among recorders.

Two looks at once do no harm: a verdict checks the run's lease once more.
"""

import logging
import threading
import time
from typing import TYPE_CHECKING

from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.reconciling.audit import BETWEEN, Behind, Found, MessageAudit
from scheduler.storage import keys
from scheduler.storage.availability import answering
from scheduler.storage.turns import Turn, TurnLock

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

EVERY = 15.0
"""Seconds between two looks."""

AGAIN = 5.0
"""Seconds until the next look after a failed look."""

SHARE = 0.005
"""Greatest share of a core's time for looks in this process; the server spends about as much."""

LONGEST = 120.0
TURN_EVERY = 2.0
"""Seconds between two renewals of the lock."""

_LOCK_MS = 15_000


class AuditLoop:
    """Looks at intervals. `name` identifies the loop among the recorders that take turns."""

    def __init__(self, redis: "Redis", audit: MessageAudit, name: str) -> None:
        self._audit = audit
        self._lock = TurnLock(redis, keys.AUDIT_LOCK, name, _LOCK_MS)
        self._next_look = 0.0

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set. Survives outages of Redis, SQL and the broker."""
        problem = None
        self._audit.stop = stop
        while not stop.wait(TURN_EVERY):
            try:
                if self._is_my_turn() and time.monotonic() >= self._next_look:
                    self._next_look = time.monotonic() + AGAIN
                    self._next_look = time.monotonic() + self._turn()
                problem = None
            except Behind as error:
                log.debug("the message audit waits: %s", error)
            except Unavailable as error:
                if problem != str(error):
                    log.warning("messages are not compared with the history: %s", error)
                problem = str(error)
                self._audit.forget()
            except Exception:
                log.exception("messages could not be compared with the history; tried again")
                self._audit.forget()

    def _turn(self) -> float:
        """Look once. Returns the seconds until the next look."""
        began = time.thread_time()
        found = self._audit.look(utc_now())
        return pause_after(found, time.thread_time() - began)

    def _is_my_turn(self) -> bool:
        """Return whether this loop holds the lock; takes a free lock, and renews a held one."""
        with answering():
            turn = self._lock.take()
        if turn is Turn.OTHERS:
            self._audit.forget()
        return turn is not Turn.OTHERS


def pause_after(found: Found, seconds: float) -> float:
    """Return the seconds until the next look, after a look of `seconds` of a core's time. Pure.

    A run without a trace is looked for again soon.
    """
    soonest = BETWEEN.total_seconds() + 0.5 if found.suspects else EVERY
    return min(max(soonest, seconds / SHARE), LONGEST)
