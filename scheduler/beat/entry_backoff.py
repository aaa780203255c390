"""Back-off of entries after failed writes."""

import time
from typing import NamedTuple

from scheduler.beat.due_entries import DueEntry

FIRST = 0.1
LONGEST = 10.0
"""Seconds."""

_FORGOTTEN_AFTER = 60.0
"""Seconds after the end of a wait."""


class _Wait(NamedTuple):
    until: float
    seconds: float
    fields: tuple[bytes | None, ...]


class EntryBackoff:
    """The entries to leave out for a while, by this process's monotonic clock."""

    def __init__(self) -> None:
        self._waits: dict[bytes, _Wait] = {}

    def is_allowed(self, entry: DueEntry) -> bool:
        """True where the entry may be planned now: after its wait, or after an edit."""
        wait = self._waits.get(entry.key)
        return wait is None or wait.until <= time.monotonic() or wait.fields != entry.fields

    def record_failure(self, entry: DueEntry) -> float:
        """Record a failed attempt. Returns the back-off in seconds, 0.1 doubling to 10; an edited
        entry starts again at 0.1.
        """
        before = self._waits.get(entry.key)
        seconds = FIRST
        if before is not None and before.fields == entry.fields:
            seconds = min(before.seconds * 2, LONGEST)
        self._waits[entry.key] = _Wait(time.monotonic() + seconds, seconds, entry.fields)
        return seconds

    def clear(self, key: bytes) -> None:
        """Forget the entry's failures after a success."""
        self._waits.pop(key, None)

    def seconds_until_next(self) -> float:
        """Seconds until the first wait is over, at most LONGEST. Drops waits that ended a minute
        ago.
        """
        if not self._waits:
            return LONGEST
        now = time.monotonic()
        self._waits = {
            key: wait for key, wait in self._waits.items() if now - wait.until < _FORGOTTEN_AFTER
        }
        return min(
            (wait.until - now for wait in self._waits.values() if wait.until > now),
            default=LONGEST,
        )

    @property
    def count(self) -> int:
        """The number of entries with a recent failure."""
        return len(self._waits)
