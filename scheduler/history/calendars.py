"""Exclusion calendars in the history: their events become revisions, and the questions asked of
these.

A revision's identity is its whole event, so that an event that comes twice is one row, whatever the
order.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, cast
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite

from scheduler.events.schema import CalendarEvent, CalendarSaved, Event
from scheduler.history.last_word import supersedes
from scheduler.history.models import CalendarRevision
from scheduler.history.plain import integer, json_value, text, utc
from scheduler.history.stamps import kind_of, stamp
from scheduler.history.views import CalendarRevisionView

_IDS = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/calendar-revisions")
_TABLE = cast("Table", CalendarRevision.__table__)
_VIEW = [getattr(CalendarRevision, name) for name in CalendarRevisionView.model_fields]

MOST = 1000
"""Revisions of one calendar that are read at once."""


class CalendarFact(NamedTuple):
    """A change of a calendar: what is compared with Redis."""

    key: int
    uid: str
    name: str
    revision: int
    action: str
    definition: Any


def row_of(event: CalendarEvent) -> dict[str, Any]:
    """The row that an event becomes."""
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
    """Write the revisions that are told; those that stand there already stay as they are."""
    rows = [row_of(event) for event in events if isinstance(event, CalendarEvent)]
    if rows:
        rows.sort(key=lambda row: (row["at"], row["revision"], row["id"]))
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(insert(_TABLE).on_conflict_do_nothing(index_elements=["id"]), rows)


class CalendarHistory:
    """The calendars as the history has them. Reads only."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest_key(self) -> int:
        """The key of the newest fact; 0 where there is none."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(CalendarRevision.key))).scalar() or 0

    def facts(self) -> list[CalendarFact]:
        """The last word about each calendar, oldest first. Calendars are few, and change seldom."""
        columns = [
            CalendarRevision.key,
            CalendarRevision.calendar_uid,
            CalendarRevision.revision,
            CalendarRevision.at,
        ]
        names = ("key", "calendar_uid", "name", "revision", "action", "definition")
        last: dict[str, Any] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(select(*columns).order_by(CalendarRevision.key)):
                if row.calendar_uid not in last or supersedes(row, last[row.calendar_uid]):
                    last[row.calendar_uid] = row
            wanted = [row.key for row in last.values()]
            facts = select(*(getattr(CalendarRevision, name) for name in names))
            facts = facts.where(CalendarRevision.key.in_(wanted))
            ordered = facts.order_by(CalendarRevision.at, CalendarRevision.key)
            return [CalendarFact(*row) for row in connection.execute(ordered)]

    def revisions(self, name: str, limit: int = MOST) -> list[CalendarRevisionView]:
        """Who changed the calendars of this name, when and why, newest first."""
        statement = (
            select(*_VIEW)
            .where(CalendarRevision.name == name)
            .order_by(CalendarRevision.key.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [CalendarRevisionView(**row._mapping) for row in connection.execute(statement)]
