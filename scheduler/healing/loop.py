"""The healer's loop: times of looks, and turns among recorders. Two looks at once do no harm."""

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
from scheduler.storage.turns import Turn, TurnLock

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

EVERY = 3.5
"""Seconds between two looks at all entries."""

COUNT_EVERY = 0.5
"""Seconds between two counts of entries, so that an emptied Redis is noticed at once."""

_LOCK_MS = 10_000
_NEVER = datetime.min.replace(tzinfo=UTC)


class HealerLoop:
    """Looks at intervals. `name` identifies the loop among all loops that take turns."""

    def __init__(self, redis: "Redis", healer: Healer, name: str) -> None:
        self._redis = redis
        self._healer = healer
        self._lock = TurnLock(redis, keys.HEALER_LOCK, name, _LOCK_MS)
        self._last_look = _NEVER

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set. Survives outages of Redis and SQL."""
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
        """Look, when the interval is over or Beat asks."""
        with answering(), outage.answering():
            question = startup_check.open_question(self._redis)
        if question is not None:
            self._healer.run_once(now)
            self._healer.remind(now)
            startup_check.answer(self._redis, question)
        elif self._is_time(now):
            self._last_look = now
            self._healer.run_once(now)

    def _is_time(self, now: datetime) -> bool:
        """Whether the interval is over, or the number of entries has changed."""
        with answering():
            entries = self._redis.zcard(keys.SCHEDULE_ZSET)
        return entries != self._healer.entries or now - self._last_look >= timedelta(seconds=EVERY)

    def _is_my_turn(self) -> bool:
        """Whether this loop holds the lock. Takes a free lock, and renews a held one."""
        with answering():
            turn = self._lock.take()
        if turn is Turn.OTHERS:
            self._healer.forget()
        return turn is not Turn.OTHERS
