"""Which of two events a column takes its value from, whatever the order in which they arrive. Pure.

A stamp is a text that ranks an event among the others of its row. The rules:

* What ends something beats what does not: a run that has ended stays ended.
* Of events that end nothing, the **highest** (sequence, time, kind) counts: the newest news.
* Of several ends, the **lowest** (sequence, time, kind) counts: a message that was delivered twice
  ends twice, and the first end is the run's.
* Where all that is equal, a digest of the whole event decides, so that the choice never depends on
  the order.

So a column is the maximum of a total order over the set of its events: commutative, associative and
idempotent.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2b

from scheduler.events.schema import Event
from scheduler.history.rows import UnfoldableEvent

GOING_ON, ATTEMPT_OVER, FINAL = "0", "1", "2"
"""The level of an event, its stamp's first character."""

_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SEQ_LIMIT = 16**8


@cache
def kind_of(event: type[Event]) -> str:
    """What happened, in one word: `saved`, `started` ..."""
    kind: str = event.model_fields["kind"].default
    return kind.partition(".")[2]


def stamp(event: Event, seq: int = 0) -> str:
    """The rank of an event among those of its level."""
    if not 0 <= seq < _SEQ_LIMIT:
        raise UnfoldableEvent(f"the sequence number {seq} is not from 0 to {_SEQ_LIMIT - 1}")
    micros = (event.at - _BEGINNING) // _MICROSECOND
    digest = blake2b(event.model_dump_json().encode(), digest_size=6).hexdigest()
    return f"{seq:08x}{micros:015x}{kind_of(type(event))[0]}{digest}"


def is_better(new: str, old: str | None) -> bool:
    """Does the event with the stamp `new` count more than the one with `old`? Both begin with their
    level.
    """
    if old is None:
        return True
    if new[0] != old[0]:
        return new[0] > old[0]
    return new > old if new[0] == GOING_ON else new < old
