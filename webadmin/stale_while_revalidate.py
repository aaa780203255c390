"""A cache of one answer per process, with refreshing by one thread at a time."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from scheduler.services.services import Services
from scheduler.storage.waiting_time import acquire

Answer = TypeVar("Answer")


class StaleWhileRevalidate(Generic[Answer]):
    """The last answer with the time of its query.

    One thread refreshes an old answer; other threads use the old answer meanwhile. For the first
    answer all wait for one thread, as long as each may wait for Redis.
    """

    def __init__(self, ask: Callable[[Services, datetime], Answer], fresh: timedelta) -> None:
        self._ask = ask
        self._fresh = fresh
        self._lock = threading.Lock()
        self._last: tuple[datetime, Answer] | None = None

    def read(self, services: Services, now: datetime) -> Answer:
        """Return an answer at most `fresh` old; older only while another thread refreshes."""
        last = self._last
        if last is not None:
            if self._is_fresh(last[0], now) or not self._lock.acquire(blocking=False):
                return last[1]
            return self._refresh(services, now)
        if not acquire(self._lock):
            return self._ask(services, now)  # another thread waits, and this one may not any longer
        last = self._last
        if last is not None and self._is_fresh(last[0], now):
            self._lock.release()
            return last[1]
        return self._refresh(services, now)

    def _is_fresh(self, at: datetime, now: datetime) -> bool:
        return abs(now - at) <= self._fresh

    def _refresh(self, services: Services, now: datetime) -> Answer:
        """Ask again, and release the lock."""
        try:
            answer = self._ask(services, now)
            self._last = (now, answer)
            return answer
        finally:
            self._lock.release()
