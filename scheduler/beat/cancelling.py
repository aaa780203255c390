"""Cancels runs replaced by a new tick, in a thread apart from Beat's.

A cancellation is a broker message. While the broker is away, Celery waits for seconds with each
message, and Beat has a lock to renew. A cancellation that cannot be sent is logged and dropped: the
new tick waits until the runs end by themselves.
"""

from datetime import datetime
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from scheduler.dispatch import outcomes
from scheduler.rules.model.spec import Schedule

if TYPE_CHECKING:
    from redis import Redis


class Cancelling:
    """Pending cancellations, the newest of each schedule; a thread lives while there are any."""

    def __init__(self, redis: "Redis", app: Any) -> None:
        self._redis = redis
        self._app = app
        self._pending: dict[str, tuple[Schedule, datetime]] = {}
        self._lock = Lock()
        self._is_working = False

    def cancel(self, schedule: Schedule, now: datetime) -> None:
        """Cancel the schedule's living runs; returns at once."""
        with self._lock:
            self._pending[schedule.uid] = schedule, now
            if not self._is_working:
                self._is_working = True
                Thread(target=self._work, name="beatdesk-cancels", daemon=True).start()

    def _work(self) -> None:
        while (pending := self._next()) is not None:
            outcomes.cancel_alive(self._redis, self._app, *pending)

    def _next(self) -> tuple[Schedule, datetime] | None:
        with self._lock:
            if not self._pending:
                self._is_working = False
                return None
            return self._pending.pop(next(iter(self._pending)))
