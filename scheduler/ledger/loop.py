"""The loop of the ledger's watcher: times of looks, and turns among recorders."""

import logging
import threading
from typing import TYPE_CHECKING

from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.history import outage
from scheduler.ledger.watcher import Watcher
from scheduler.storage import keys
from scheduler.storage.availability import answering

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

EVERY = 10.0
"""Seconds between two looks."""

_LOCK_MS = 45_000


class LedgerLoop:
    """Looks at intervals. `name` identifies the loop among those that take turns."""

    def __init__(self, redis: "Redis", watcher: Watcher, name: str, every: float = EVERY) -> None:
        self._redis = redis
        self._watcher = watcher
        self._name = name
        self._every = every

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set. Survives outages of Redis and SQL."""
        problem = None
        while not stop.wait(self._every):
            try:
                with answering(), outage.answering():
                    if self._is_my_turn():
                        self._watcher.run_once(utc_now(), stop)
                problem = None
            except Unavailable as error:
                if problem != str(error):
                    log.warning("the ledger is not watched: %s", error)
                problem = str(error)
                self._watcher.forget()
            except Exception:
                log.exception("the ledger could not be compared with the schedules; tried again")
                self._watcher.forget()

    def _is_my_turn(self) -> bool:
        """Whether this loop holds the lock. Takes a free lock, and renews its own."""
        if self._redis.set(keys.LEDGER_LOCK, self._name, nx=True, px=_LOCK_MS):
            self._watcher.forget()
            return True
        if self._redis.get(keys.LEDGER_LOCK) != self._name:
            return False
        self._redis.pexpire(keys.LEDGER_LOCK, _LOCK_MS)
        return True
