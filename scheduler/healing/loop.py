"""When a healer looks, and whose turn it is. One recorder looks at a time; two would do no harm."""

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.healing import startup_check, wait_for_history
from scheduler.healing.healer import Healer
from scheduler.history import outage
from scheduler.storage import keys
from scheduler.storage.availability import answering

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

EVERY = 3.5
"""Seconds between two looks at everything."""

COUNT_EVERY = 0.5
"""Seconds between two counts of the entries: an emptied Redis is seen at once."""

_LOCK_MS = 10_000
_NEVER = datetime.min.replace(tzinfo=UTC)


class HealerLoop:
    """Looks again and again. `name` tells which loop it is among those that take turns."""

    def __init__(self, redis: "Redis", healer: Healer, name: str) -> None:
        self._redis = redis
        self._healer = healer
        self._name = name
        self._last_look = _NEVER

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set. Outlives Redis and SQL being away."""
        problem = None
        self._healer.stop_with(stop)
        while not stop.wait(COUNT_EVERY):
            try:
                if self._is_my_turn():
                    self._turn(utc_now())
                problem = None
            except wait_for_history.Behind as error:
                self._last_look = _NEVER
                log.debug("healing waits: %s", error)
            except Unavailable as error:
                if problem != str(error):
                    log.warning("schedules are not watched: %s", error)
                problem = str(error)
            except Exception:
                log.exception("schedules could not be compared with the history; tried again")
                self._healer.forget()

    def _turn(self, now: datetime) -> None:
        """Look, if it is time or if Beat asks."""
        with answering(), outage.answering():
            question = startup_check.asked(self._redis)
        if question is not None:
            self._healer.run_once(now)
            self._healer.remind(now)
            startup_check.answer(self._redis, question)
        elif self._is_time(now):
            self._last_look = now
            self._healer.run_once(now)

    def _is_time(self, now: datetime) -> bool:
        """Is the last look long ago, or are there more or fewer entries than there were?"""
        with answering():
            entries = self._redis.zcard(keys.SCHEDULE_ZSET)
        return entries != self._healer.entries or now - self._last_look >= timedelta(seconds=EVERY)

    def _is_my_turn(self) -> bool:
        """Is the lock this loop's? Takes it where nobody has it, and renews it."""
        with answering():
            if self._redis.set(keys.HEALER_LOCK, self._name, nx=True, px=_LOCK_MS):
                return True
            if self._redis.get(keys.HEALER_LOCK) != self._name:
                self._healer.forget()
                return False
            self._redis.pexpire(keys.HEALER_LOCK, _LOCK_MS)
            return True
