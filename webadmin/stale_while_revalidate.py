"""A cache of one answer per process, with refreshing by one thread at a time."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from scheduler.services.services import Services

Answer = TypeVar("Answer")


class StaleWhileRevalidate(Generic[Answer]):
    """The last answer with the time of its query.

    One thread refreshes an old answer; other threads use the old answer meanwhile.
    """

    def __init__(self, ask: Callable[[Services, datetime], Answer], fresh: timedelta) -> None:
        self._ask = ask
        self._fresh = fresh
        self._lock = threading.Lock()
        self._last: tuple[datetime, Answer] | None = None

    def read(self, services: Services, now: datetime) -> Answer:
        """Return an answer at most `fresh` old; older only while another thread refreshes."""
        last = self._last
        if last is not None and (
            abs(now - last[0]) <= self._fresh or not self._lock.acquire(blocking=False)
        ):
            return last[1]
        if last is None:
            self._lock.acquire()
        try:
            answer = self._ask(services, now)
            self._last = (now, answer)
            return answer
        finally:
            self._lock.release()
