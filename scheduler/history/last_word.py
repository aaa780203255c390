"""Which of two changes of one thing is the last word, whatever the order in which the history heard
of them. Pure.

An event may be recorded long after later ones: another recorder was quicker, or it was a dead
letter until an operator retried it.
"""

from datetime import datetime
from typing import Protocol


class Change(Protocol):
    """A recorded change: the revision that it made, its time, and its place in the history."""

    @property
    def key(self) -> int:
        """Grows with each row that is written."""

    @property
    def revision(self) -> int:
        """Grows with each edit."""

    @property
    def at(self) -> datetime:
        """The wall time of the edit."""


def supersedes(change: Change, other: Change) -> bool:
    """Whether `change` is the last word, and not `other`, which the history has heard of before.

    Revisions count, not clocks. A Redis that was set back may have numbered an edit again, though:
    then the later counts by time and by the order in which the history heard of them.
    """
    if change.revision > other.revision:
        return change.at > other.at or change.key > other.key
    return change.at >= other.at and change.key > other.key
