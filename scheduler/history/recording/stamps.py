"""Stamps decide from which event a column takes its value, whatever the order of arrival. Pure.

A stamp is a text that ranks an event among all events of its row. The rules:

* A final event beats any other: an ended run stays ended.
* Among events that end nothing, the **highest** (sequence, time, kind) wins: the newest news.
* Among final events, the **lowest** (sequence, time, kind) wins: a message delivered twice ends
  twice, and the first end is the run's.
* A correction beats any of these; among corrections the highest wins.
* Between equals, a digest of the whole event decides, so that the choice never depends on order.

So a column is the maximum of a total order over the set of its events: commutative, associative and
idempotent.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b

from scheduler.events.schema import Event
from scheduler.history.recording.rows import UnfoldableEvent

GOING_ON, ATTEMPT_OVER, FINAL, CORRECTION = "0", "1", "2", "3"
"""The level of an event: the first character of its stamp."""

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SEQ_LIMIT = 16**8


@cache
def kind_of(event: type[Event]) -> str:
    """The kind of an event class without its subject: `saved`, `started` ..."""
    kind: str = event.model_fields["kind"].default
    return kind.partition(".")[2]


def stamp(event: Event, seq: int = 0) -> str:
    """The rank of an event within its level. Raises UnfoldableEvent unless 0 <= `seq` < 16**8."""
    if not 0 <= seq < _SEQ_LIMIT:
        raise UnfoldableEvent(f"the sequence number {seq} is not from 0 to {_SEQ_LIMIT - 1}")
    digest = blake2b(event.model_dump_json().encode(), digest_size=6).hexdigest()
    return f"{seq:08x}{moment_text(event.at)}{kind_of(type(event))[0]}{digest}"


def moment_text(moment: datetime) -> str:
    """A moment as it stands in a stamp: such texts are in the order of time."""
    return f"{(moment - _BEGINNING) // _MICROSECOND:015x}"


def seq_of(rank: str) -> int:
    """The sequence number of the event that a stamp with its level belongs to."""
    return int(rank[1:9], 16)


def moment_of(rank: str) -> datetime:
    """The moment of the event that a stamp with its level belongs to, aware."""
    return _BEGINNING + int(rank[9:24], 16) * _MICROSECOND


def attempt_of(rank: str | None) -> int:
    """The attempt of the event with this stamp, by its sequence number (`attempt * 10 + phase`); 0
    for other events.
    """
    return 0 if rank is None or len(rank) < 9 else int(rank[1:9], 16) // 10


def is_better(new: str, old: str | None) -> bool:
    """Whether stamp `new` beats stamp `old`. Both begin with their level; no stamp loses to any."""
    if old is None:
        return True
    if new[0] != old[0]:
        return new[0] > old[0]
    return new > old if new[0] in (GOING_ON, CORRECTION) else new < old
