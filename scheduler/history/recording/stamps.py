"""Stamps decide which event gives a column the value, in any order of arrival. Pure.

A stamp is a text that ranks an event among all events of a row. The rules:

* A final event beats any other: an ended run stays ended.
* Among events that end nothing, the **highest** (sequence, time, kind) wins: the newest news.
* Among final events, the **lowest** (sequence, time, kind) wins: a message delivered twice ends
  twice, and the first end is the run's.
* A correction beats any other event; among corrections the highest wins.
* Between equals, a digest of the whole event decides, so that the choice never depends on order.

So a column is the maximum of a total order over a set of events: commutative, associative and
idempotent.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b

from scheduler.events.schema import Event
from scheduler.history.recording.rows import UnfoldableEvent

GOING_ON, ATTEMPT_OVER, FINAL, CORRECTION = "0", "1", "2", "3"
"""The level of an event: the first character of a stamp."""

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SEQ_LIMIT = 16**8


@cache
def kind_of(event: type[Event]) -> str:
    """Return the kind of an event class without the subject: `saved`, `started` ..."""
    kind: str = event.model_fields["kind"].default
    return kind.partition(".")[2]


def stamp(event: Event, seq: int = 0) -> str:
    """Return the rank of an event within a level.

    Raises UnfoldableEvent unless 0 <= `seq` < 16**8.
    """
    if not 0 <= seq < _SEQ_LIMIT:
        raise UnfoldableEvent(f"the sequence number {seq} is not from 0 to {_SEQ_LIMIT - 1}")
    digest = blake2b(event.model_dump_json().encode(), digest_size=6).hexdigest()
    return f"{seq:08x}{_moment_text(event.at)}{kind_of(type(event))[0]}{digest}"


def _moment_text(moment: datetime) -> str:
    """Return a moment as part of a stamp: the order of the texts is the order of time."""
    return f"{(moment - _BEGINNING) // _MICROSECOND:015x}"


def seq_of(rank: str) -> int:
    """Return the sequence number in a stamp with a level."""
    return int(rank[1:9], 16)


def moment_of(rank: str) -> datetime:
    """Return the moment of the event in a stamp with a level, aware."""
    return _BEGINNING + int(rank[9:24], 16) * _MICROSECOND


def attempt_of(rank: str | None) -> int:
    """Return the attempt in a stamp; 0 for events without an attempt.

    The sequence number of a stamp is `attempt * 10 + phase`.
    """
    return 0 if rank is None or len(rank) < 9 else seq_of(rank) // 10


def is_better(new: str, old: str | None) -> bool:
    """Whether stamp `new` beats stamp `old`. Both begin with a level; None loses to any stamp."""
    if old is None:
        return True
    if new[0] != old[0]:
        return new[0] > old[0]
    return new > old if new[0] in (GOING_ON, CORRECTION) else new < old
