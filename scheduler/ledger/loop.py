"""The loop of the ledger's watcher: times of looks, and turns among recorders."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.history import outage
from scheduler.ledger.failing_trees import FailingTrees
from scheduler.ledger.surroundings import SurroundingsWatch
from scheduler.ledger.watcher import Watcher
from scheduler.storage import keys
from scheduler.storage.availability import answering
from scheduler.storage.turns import Turn, TurnLock

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

EVERY = 10.0
"""Seconds between two looks."""

FORGET_EVERY = timedelta(hours=1)
_LOCK_MS = 45_000


class LedgerLoop:
    """Looks at intervals. `name` identifies the loop among all loops that take turns."""

    def __init__(
        self,
        redis: "Redis",
        watcher: Watcher,
        surroundings: SurroundingsWatch,
        name: str,
        *,
        failing: FailingTrees,
        facts_stored_for: timedelta,
        forget_facts_before: Callable[[datetime], None],
        every: float = EVERY,
    ) -> None:
        """`forget_facts_before` deletes facts and outages older than `facts_stored_for`."""
        self._watcher = watcher
        self._surroundings = surroundings
        self._failing = failing
        self._lock = TurnLock(redis, keys.LEDGER_LOCK, name, _LOCK_MS)
        self._facts_stored_for = facts_stored_for
        self._forget_facts_before = forget_facts_before
        self._forgot_at: datetime | None = None
        self._every = every

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set. Survives outages of Redis and SQL."""
        problem = None
        while not stop.wait(self._every):
            try:
                with answering(), outage.answering():
                    if self._is_my_turn():
                        self._turn(utc_now(), stop)
                problem = None
            except Unavailable as error:
                if problem != str(error):
                    log.warning("the ledger is not watched: %s", error)
                problem = str(error)
                self._forget()
            except Exception:
                log.exception("the ledger could not be compared with the schedules; tried again")
                self._forget()

    def _turn(self, now: datetime, stop: threading.Event) -> None:
        """Look at who is there, then at the ledger; once an hour, forget old facts."""
        self._surroundings.look(now)
        self._watcher.run_once(now, stop)
        self._failing.look(now)
        if self._forgot_at is None or now - self._forgot_at >= FORGET_EVERY:
            self._forget_facts_before(now - self._facts_stored_for)
            self._forgot_at = now

    def _forget(self) -> None:
        """Trust nothing of earlier looks."""
        self._watcher.forget()
        self._surroundings.forget()

    def _is_my_turn(self) -> bool:
        """Whether this loop holds the lock. Takes a free lock, and renews a held one."""
        turn = self._lock.take()
        if turn is Turn.NEW:
            self._forget()
        return turn is not Turn.OTHERS
