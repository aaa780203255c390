"""Changes of exclusion calendars: events become rows of `calendar_revisions`.

The id of a row is derived from the whole event, so that a repeated event is one row, in any order.
"""

from collections.abc import Iterable
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, Table

from scheduler.events.schema import CalendarEvent, CalendarSaved, Event
from scheduler.history.models import CalendarRevision
from scheduler.history.recording.column_values import integer, json_value, text, utc
from scheduler.history.recording.inserts import insert_into
from scheduler.history.recording.stamps import kind_of, stamp

_IDS = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/calendar-revisions")
_TABLE = cast("Table", CalendarRevision.__table__)


def row_of(event: CalendarEvent) -> dict[str, Any]:
    """The row of an event, by column. Raises UnfoldableEvent for a revision above 32 bits."""
    return {
        "id": str(uuid5(_IDS, f"{event.uid} {stamp(event)}")),
        "calendar_uid": text(event.uid, 36),
        "revision": integer(event.revision, "revision"),
        "name": text(event.calendar.name, 255),
        "action": event.action if isinstance(event, CalendarSaved) else kind_of(type(event)),
        "at": utc(event.at),
        "actor": text(event.actor, 255),
        "comment": text(event.comment),
        "definition": json_value(event.calendar.to_json()),
    }


def write(connection: Connection, events: Iterable[Event]) -> None:
    """Insert the rows of all calendar events; existing rows stay unchanged."""
    rows = [row_of(event) for event in events if isinstance(event, CalendarEvent)]
    if rows:
        rows.sort(key=lambda row: (row["at"], row["revision"], row["id"]))
        insert = insert_into(connection, _TABLE).on_conflict_do_nothing(index_elements=["id"])
        connection.execute(insert, rows)
