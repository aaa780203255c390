"""The order between two changes of a calendar or schedule, in any order of recording. Pure.

An event may be recorded long after later events: another recorder was quicker, or the event was a
dead letter until an operator retried it.
"""

from datetime import datetime
from typing import Protocol


class Change(Protocol):
    """A recorded change: revision, time and place in the history."""

    @property
    def key(self) -> int:
        """The row's key; grows with each written row."""

    @property
    def revision(self) -> int:
        """The revision's number; grows with each edit."""

    @property
    def at(self) -> datetime:
        """The wall time of the edit."""


def supersedes(change: Change, other: Change) -> bool:
    """Whether `change` replaces `other`, recorded before.

    Revision numbers decide, not clocks: a higher number wins if later by time or by order of
    recording. A Redis restored from a backup numbers edits anew, so an equal or lower number wins
    too if later by both.
    """
    if change.revision > other.revision:
        return change.at > other.at or change.key > other.key
    return change.at >= other.at and change.key > other.key
