"""The time that a caller has for the answers of a server: one allowance for all its questions.

    with limited_to(WaitingTime(2.0)):
        ...                              every question in here shares the two seconds

A client's own time-outs bound one question each, so a page with ten questions to a frozen server
waits ten times. With an allowance a question waits for what is left. After one that was not
answered nothing is left: the others fail at once. Without an allowance the client's own time-outs
hold, as they do for Beat, workers, recorders and most commands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from time import monotonic
from typing import Final


class ServerRecord:
    """Whether a server left the last question of this process without an answer."""

    def __init__(self) -> None:
        self.is_silent = False


class WaitingTime:
    """Seconds for the answers of one server. For a single thread at a time."""

    def __init__(
        self,
        seconds: float,
        *,
        each: float | None = None,
        within: "WaitingTime | None" = None,
        record: ServerRecord | None = None,
    ) -> None:
        """`seconds` are for all questions together, `each` for a single one.

        `within` is a larger allowance that this one is a part of. `record` is written by every
        answer and by every question without one.
        """
        self.seconds: Final = seconds
        self.spent = 0.0
        """Seconds that the questions so far have taken."""

        self._left = seconds
        self._each = seconds if each is None else min(each, seconds)
        self._within = within
        self._record = record

    @property
    def left(self) -> float:
        """Seconds that the next question may wait; 0 where there is no time left."""
        mine = min(self._each, self._left)
        return mine if self._within is None else min(mine, self._within.left)

    def spend(self, seconds: float, *, is_answered: bool = True) -> None:
        """Take the seconds of a question. An answer is recorded, where it was one."""
        self.spent += seconds
        self._left = max(0.0, self._left - seconds)
        if is_answered and self._record is not None:
            self._record.is_silent = False
        if self._within is not None:
            self._within.spend(seconds, is_answered=is_answered)

    def use_up(self) -> None:
        """Leave no time, for reasons other than the server's silence. Callable by any thread."""
        self._left = 0.0

    def give_up(self) -> None:
        """Leave no time, after a question that was not answered in time."""
        self._left = 0.0
        if self._record is not None:
            self._record.is_silent = True
        if self._within is not None:
            self._within.give_up()


_redis_time: ContextVar[WaitingTime | None] = ContextVar("redis_time", default=None)


def redis_time() -> WaitingTime | None:
    """The allowance for Redis of the code that runs; None where there is none."""
    return _redis_time.get()


def set_redis_time(time: WaitingTime | None) -> None:
    """Let the code that runs in this thread have an allowance from here on; None ends it."""
    _redis_time.set(time)


@contextmanager
def limited_to(time: WaitingTime) -> Iterator[None]:
    """Let the code inside have this allowance for Redis."""
    token = _redis_time.set(time)
    try:
        yield
    finally:
        _redis_time.reset(token)


def acquire(lock: Lock) -> bool:
    """Wait for a lock that another thread may hold while it waits for Redis.

    Counts as a question without an answer. Returns whether the lock was free in time; it always is
    where the caller has no allowance.
    """
    time = redis_time()
    if time is None:
        return lock.acquire()
    begun = monotonic()
    is_free = lock.acquire(timeout=time.left)
    time.spend(monotonic() - begun, is_answered=False)
    return is_free
