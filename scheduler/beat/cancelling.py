"""Asks runs to end that a due tick replaces. Beside the loop, since the question is a message of
the broker's.

A broker that is away makes Celery wait for seconds with each such message, and Beat has a lock to
renew. What cannot be asked is told and forgotten: the tick waits until the runs end by themselves.
"""

from datetime import datetime
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from scheduler.dispatch import outcomes
from scheduler.rules.model.spec import Schedule

if TYPE_CHECKING:
    from redis import Redis


class Cancelling:
    """The questions that are open, each schedule's newest; a thread lives as long as there are
    any.
    """

    def __init__(self, redis: "Redis", app: Any) -> None:
        self._redis, self._app = redis, app
        self._open: dict[str, tuple[Schedule, datetime]] = {}
        self._lock = Lock()
        self._asks = False

    def ask(self, schedule: Schedule, now: datetime) -> None:
        """Let the runs of this schedule be asked to end; returns at once."""
        with self._lock:
            self._open[schedule.uid] = schedule, now
            if not self._asks:
                self._asks = True
                Thread(target=self._work, name="beatdesk-cancels", daemon=True).start()

    def _work(self) -> None:
        while (found := self._next()) is not None:
            outcomes.cancel_alive(self._redis, self._app, *found)

    def _next(self) -> tuple[Schedule, datetime] | None:
        with self._lock:
            if not self._open:
                self._asks = False
                return None
            return self._open.pop(next(iter(self._open)))
