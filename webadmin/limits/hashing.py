"""Few hashes of passwords at once: a hash takes 64 MB and some 50 ms of a core.

Without this bound, 100 logins at once took 1.8 GB. A login waits for a free slot for a short time;
a few may wait, so that a flood of logins does not occupy all threads of the console.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from webadmin.limits.too_many import TooManyLogins

AT_ONCE = 2
WAITING = 4
LONGEST_WAIT = 2.0
"""Seconds until a waiting login is sent away."""

RETRY_AFTER = 2


class HashSlots:
    """Slots for hashes of passwords in this process."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._slots = BoundedSemaphore(at_once)
        self._places = BoundedSemaphore(at_once + waiting)

    @contextmanager
    def slot(self, longest_wait: float = LONGEST_WAIT) -> Iterator[None]:
        """Hold a slot. Raises TooManyLogins where none becomes free in `longest_wait` seconds, or
        where too many wait already.
        """
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            if not self._slots.acquire(timeout=longest_wait):
                raise _busy()
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._places.release()


def _busy() -> TooManyLogins:
    return TooManyLogins(
        "Too many people log in at this moment",
        "Each login takes some work, and only a few are worked on at once.",
        retry_after=RETRY_AFTER,
        reason="busy",
    )
