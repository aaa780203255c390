"""The share of a pass for entries that are slow to plan, so that their neighbours are on time.

Whoever may write to Redis may write entries whose ticks take long to find. One costs a moment, and
is set aside; many, new ones each second, would fill every pass from its start, since the longest
due entries come first. So slow entries share a budget: once it is spent, only entries that this
Beat has planned quickly before are planned in the pass. The others wait for the next one.
"""

from scheduler.beat.due_entries import DueEntry

SECONDS = 0.25
"""Seconds of a pass for slow entries; the last may take longer (`redbeat.bounded_rrule`)."""

SLOW = 0.005
"""Seconds for the plan of an entry that counts against the budget; most take 0.0001."""

QUICK = 0.02
"""Seconds within which an entry may be planned whatever was spent on others."""

MOST = 500_000
"""Most entries remembered as quick."""


class WorkBudget:
    """The budget of the passes of one Beat process."""

    def __init__(self) -> None:
        self._left = SECONDS
        self._quick: dict[bytes, int] = {}

    def begin_pass(self) -> None:
        """Give slow entries their share of a new pass."""
        self._left = SECONDS

    def admits(self, entry: DueEntry) -> bool:
        """Whether an entry may be planned in this pass."""
        return self._left > 0 or self._quick.get(entry.key) == _content(entry)

    def record(self, entry: DueEntry, seconds: float) -> None:
        """Record the seconds that the plan of an entry took."""
        if seconds > SLOW:
            self._left -= seconds
        if seconds > QUICK:
            self._quick.pop(entry.key, None)
            return
        if len(self._quick) >= MOST:
            self._quick.clear()
        self._quick[entry.key] = _content(entry)


def _content(entry: DueEntry) -> int:
    """A fingerprint of what decides about an entry's cost: an edited entry is a new one."""
    return hash((entry.definition, entry.extra))
