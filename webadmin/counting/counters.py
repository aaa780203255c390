"""Counts that end by themselves, in Redis for all web processes.

During an outage of Redis each process counts for itself, so that an outage neither locks anybody
out nor opens the door to guessing. After a failure Redis is left alone for `PAUSE` seconds: a login
asks for several counts, and must not wait for each.
"""

import logging
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple, Protocol, TypeVar

from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from redis.exceptions import RedisError

from scheduler.storage import keys

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

PAUSE = 5.0
"""Seconds without a further question to a Redis that did not answer."""


class Storage(Protocol):
    """What is used of a storage of the library `limits`."""

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a count, which ends in `expiry` seconds if it is new. Returns the value."""

    def get_expiry(self, key: str) -> float:
        """Return when a count ends, in seconds since 1970."""

    def get(self, key: str) -> int:
        """Return the value of a count; 0 for one that does not exist."""


class Count(NamedTuple):
    """The value of a count after a change, and the storage that holds the count."""

    value: int
    storage: Storage


class Counters:
    """The counts of one console. An outage of Redis raises nothing."""

    def __init__(self, address: str) -> None:
        """`address` is that of the storage, as the library `limits` reads addresses."""
        self._redis: Storage = storage_from_string(  # type: ignore[assignment] # async kinds too
            address, socket_connect_timeout=1, socket_timeout=2, key_prefix=keys.LIMITS_PREFIX
        )
        self._memory: Storage = MemoryStorage()
        self._ask_again_at = 0.0

    def add(self, key: str, seconds: int) -> Count:
        """Add one to a count, which ends `seconds` after its first addition."""
        return self._ask(lambda storage: Count(storage.incr(key, seconds), storage))

    def give_back(self, key: str, seconds: int, storage: Storage) -> None:
        """Take one from a count in the storage to which it was added."""
        try:
            storage.incr(key, seconds, -1)
        except (RedisError, StorageError) as error:
            self._note_outage(error)

    def value(self, key: str) -> int:
        """Return the value of a count; 0 for one that does not exist."""
        return self._ask(lambda storage: storage.get(key))

    def seconds_left(self, key: str, now: float) -> int:
        """Return in how many seconds a count ends, rounded up; 0 for a count that does not exist.

        `now` is in seconds since 1970.
        """
        return self._ask(lambda storage: _left(storage, key, now))

    def _ask(self, question: Callable[[Storage], Answer]) -> Answer:
        """Ask Redis, and this process's own storage while Redis does not answer."""
        if monotonic() >= self._ask_again_at:
            try:
                return question(self._redis)
            except (RedisError, StorageError) as error:
                self._note_outage(error)
        return question(self._memory)

    def _note_outage(self, error: Exception) -> None:
        log.warning("redis does not answer; wrong secrets are counted in this process: %s", error)
        self._ask_again_at = monotonic() + PAUSE


def _left(storage: Storage, key: str, now: float) -> int:
    if storage.get(key) <= 0:
        return 0
    return max(0, int(storage.get_expiry(key) - now + 0.999))
