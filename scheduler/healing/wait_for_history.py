"""Waits until the history has caught up with Redis; before, an edit looks like damage."""

import threading
from typing import TYPE_CHECKING

from scheduler.errors import Unavailable
from scheduler.events.schema import FIELD

if TYPE_CHECKING:
    from scheduler.events.stream import EventStream

PATIENCE = 1.0
"""Seconds that a look waits for the history to catch up with the stream."""

_READ_AHEAD = 500
_CHANGES = ('"kind":"schedule.', '"kind":"calendar.')


class Behind(Unavailable):
    """The history has not caught up, so that a deletion looks like a loss."""


def wait_for_history(stream: "EventStream", stop: threading.Event) -> None:
    """Return when the history has caught up with the stream's present end, or `stop` is set.

    After `PATIENCE` seconds, other events may still wait. Raises Behind while changes of schedules
    or calendars wait, or more events than are looked through.
    """
    end = stream.end()
    if stream.wait_until_recorded(end, PATIENCE, stop):
        return
    waiting = stream.waiting(end, _READ_AHEAD)
    texts = [entry.fields.get(FIELD, "") for entry in waiting]
    if len(waiting) >= _READ_AHEAD or any(kind in text for text in texts for kind in _CHANGES):
        raise Behind(
            "changes wait in the stream that the history has not heard of, so that loss cannot be "
            "told from deletion; see that a recorder runs, then try again"
        )
