"""The access log: events become chained rows of `access_log`.

The id of a row is derived from the whole event, so that a repeated event is one row. Rows are
numbered in the order in which they are recorded, under the lock of the head.
"""

from collections.abc import Iterable
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, Table, select, update

from scheduler.events.access import AccessEvent
from scheduler.events.schema import Event
from scheduler.history.access_chain import EMPTY, Content, Head, next_head
from scheduler.history.access_models import AccessHead, AccessRow
from scheduler.history.connecting import in_parts
from scheduler.history.recording.column_values import text, utc
from scheduler.history.recording.inserts import insert_into
from scheduler.history.recording.stamps import kind_of, stamp

_IDS = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/access-log")
_ROWS = cast("Table", AccessRow.__table__)
_HEAD = cast("Table", AccessHead.__table__)


def write(connection: Connection, events: Iterable[Event]) -> None:
    """Append the rows of all access events that have none yet, oldest first."""
    wanted = {row["id"]: row for row in map(_row, _access_events(events))}
    if not wanted:
        return
    head = _locked_head(connection)
    for stored in _stored(connection, list(wanted)):
        del wanted[stored]
    rows = sorted(wanted.values(), key=lambda row: (row["at"], row["id"]))
    for row in rows:
        head = next_head(head, Content(number=head.number + 1, **row))
        row |= {"number": head.number, "digest": head.digest}
    if rows:
        connection.execute(_ROWS.insert(), rows)
        connection.execute(update(_HEAD).values(number=head.number, digest=head.digest))


def _access_events(events: Iterable[Event]) -> list[AccessEvent]:
    return [event for event in events if isinstance(event, AccessEvent)]


def _row(event: AccessEvent) -> dict[str, Any]:
    return {
        "id": str(uuid5(_IDS, stamp(event))),
        "kind": kind_of(type(event)),
        "at": utc(event.at),
        "actor": text(event.actor, 255),
        "subject": text(event.subject, 255),
        "address": text(event.address, 64),
        "detail": text(event.detail, 255),
    }


def _locked_head(connection: Connection) -> Head:
    """The head, locked until the end of the transaction: recorders append one after another."""
    first = {"id": 1, "number": EMPTY.number, "digest": EMPTY.digest}
    connection.execute(insert_into(connection, _HEAD).on_conflict_do_nothing(), [first])
    row = connection.execute(select(_HEAD.c.number, _HEAD.c.digest).with_for_update()).one()
    return Head(row.number, row.digest)


def _stored(connection: Connection, ids: list[str]) -> list[str]:
    """The ids that have a row."""
    found: list[str] = []
    for part in in_parts(ids):
        found += connection.execute(select(_ROWS.c.id).where(_ROWS.c.id.in_(part))).scalars()
    return found
