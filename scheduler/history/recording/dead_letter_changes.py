"""Retried and dropped dead letters: events become rows of `dead_letter_changes`.

The id of a row is derived from the whole event, so that a repeated event is one row, in any order.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, Table

from scheduler.events.schema import DeadLetterEvent, DeadLettersDropped, DeadLettersRetried, Event
from scheduler.history.models import DeadLetterChange
from scheduler.history.recording.column_values import json_value, text, utc
from scheduler.history.recording.inserts import insert_into
from scheduler.history.recording.stamps import kind_of, stamp

_IDS = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/dead-letter-changes")
_TABLE = cast("Table", DeadLetterChange.__table__)


def row_of(event: DeadLetterEvent) -> dict[str, Any]:
    """The row of an event, by column."""
    letters = event.letters if isinstance(event, DeadLettersRetried | DeadLettersDropped) else []
    subjects = [f"{letter.kind} {letter.about}".strip() or letter.id for letter in letters]
    return {
        "id": str(uuid5(_IDS, stamp(event))),
        "action": kind_of(type(event)),
        "name": text(_summary(subjects), 255),
        "at": utc(event.at),
        "actor": text(event.actor, 255),
        "comment": text(event.comment),
        "letters": json_value([letter.model_dump(mode="json") for letter in letters]),
    }


def _summary(subjects: Sequence[str]) -> str:
    """Return the subjects of many letters, in a line."""
    first = subjects[0] if subjects else "no letter"
    return first if len(subjects) < 2 else f"{first[:200]} and {len(subjects) - 1} more"


def write(connection: Connection, events: Iterable[Event]) -> None:
    """Insert the rows of all dead-letter events; existing rows stay unchanged."""
    rows = [row_of(event) for event in events if isinstance(event, DeadLetterEvent)]
    if rows:
        rows.sort(key=lambda row: (row["at"], row["id"]))
        insert = insert_into(connection, _TABLE).on_conflict_do_nothing(index_elements=["id"])
        connection.execute(insert, rows)
