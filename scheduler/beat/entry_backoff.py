"""Entries that were looked at and could not be moved on: each is left alone for a while, longer
each time.
"""

import time
from typing import NamedTuple

from scheduler.beat.due_entries import DueEntry

FIRST = 0.1
LONGEST = 10.0
"""Seconds."""

_FORGOTTEN_AFTER = 60.0


class _Held(NamedTuple):
    until: float
    wait: float
    fields: tuple[bytes | None, ...]


class EntryBackoff:
    """Which entries to leave alone, by this process's own clock, which nobody can set."""

    def __init__(self) -> None:
        self._held: dict[bytes, _Held] = {}

    def may(self, seen: DueEntry) -> bool:
        """Is it time to look at this entry? One that was edited is looked at at once."""
        held = self._held.get(seen.key)
        return held is None or held.until <= time.monotonic() or held.fields != seen.fields

    def once_more(self, seen: DueEntry) -> float:
        """It could not be moved on. For how many seconds it is left alone."""
        known = self._held.get(seen.key)
        wait = (
            FIRST if known is None or known.fields != seen.fields else min(known.wait * 2, LONGEST)
        )
        self._held[seen.key] = _Held(time.monotonic() + wait, wait, seen.fields)
        return wait

    def free(self, key: bytes) -> None:
        """It has moved on."""
        self._held.pop(key, None)

    def soonest(self) -> float:
        """In how many seconds the first of those that are left alone may be looked at."""
        if not self._held:
            return LONGEST
        now = time.monotonic()
        self._held = {
            key: held for key, held in self._held.items() if now - held.until < _FORGOTTEN_AFTER
        }
        return min(
            (held.until - now for held in self._held.values() if held.until > now), default=LONGEST
        )

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._held)
