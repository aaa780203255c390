"""Who retried or dropped which dead letters, in the history: events become rows of the audit.

A row's identity is its whole event, so that an event that comes twice is one row, whatever the
order.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.events.schema import DeadLetterEvent, DeadLettersDropped, DeadLettersRetried, Event
from scheduler.history.models import DeadLetterChange
from scheduler.history.plain import json_value, text, utc
from scheduler.history.stamps import kind_of, stamp

_IDS = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/dead-letter-changes")
_TABLE = cast("Table", DeadLetterChange.__table__)


def row_of(event: DeadLetterEvent) -> dict[str, Any]:
    """The row that an event becomes."""
    letters = event.letters if isinstance(event, DeadLettersRetried | DeadLettersDropped) else []
    return {
        "id": str(uuid5(_IDS, stamp(event))),
        "action": kind_of(type(event)),
        "name": text(
            _summary([f"{one.kind} {one.about}".strip() or one.id for one in letters]), 255
        ),
        "at": utc(event.at),
        "actor": text(event.actor, 255),
        "comment": text(event.comment),
        "letters": json_value([one.model_dump(mode="json") for one in letters]),
    }


def _summary(names: Sequence[str]) -> str:
    """What many letters were about, in a line."""
    first = names[0] if names else "no letter"
    return first if len(names) < 2 else f"{first[:200]} and {len(names) - 1} more"


def write(connection: Connection, events: Iterable[Event]) -> None:
    """Write these changes; those that stand there already stay as they are."""
    rows = [row_of(event) for event in events if isinstance(event, DeadLetterEvent)]
    if rows:
        rows.sort(key=lambda row: (row["at"], row["id"]))
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(insert(_TABLE).on_conflict_do_nothing(index_elements=["id"]), rows)
