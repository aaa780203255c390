"""Exclusion calendars in the history: last changes and revisions. Reads only."""

from typing import Any, NamedTuple

from sqlalchemy import Engine, func, select

from scheduler.history.models import CalendarRevision
from scheduler.history.queries.last_word import supersedes
from scheduler.history.queries.views import CalendarRevisionView

_VIEW = [getattr(CalendarRevision, name) for name in CalendarRevisionView.model_fields]

MOST = 1000
"""Most revisions of a calendar read at once."""


class CalendarFact(NamedTuple):
    """A change of a calendar, for comparison with Redis."""

    key: int
    uid: str
    name: str
    revision: int
    action: str
    definition: Any


class CalendarHistory:
    """The calendars of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest_key(self) -> int:
        """The key of the newest fact; 0 in an empty history."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(CalendarRevision.key))).scalar() or 0

    def facts(self) -> list[CalendarFact]:
        """The last change of each calendar, oldest first. Calendars are few, and change seldom."""
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
            newest_keys = [row.key for row in last.values()]
            facts = select(*(getattr(CalendarRevision, name) for name in names))
            facts = facts.where(CalendarRevision.key.in_(newest_keys))
            ordered = facts.order_by(CalendarRevision.at, CalendarRevision.key)
            return [CalendarFact(*row) for row in connection.execute(ordered)]

    def revisions(self, name: str, limit: int = MOST) -> list[CalendarRevisionView]:
        """Return the revisions of all calendars called `name`, newest first."""
        statement = (
            select(*_VIEW)
            .where(CalendarRevision.name == name)
            .order_by(CalendarRevision.key.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [CalendarRevisionView(**row._mapping) for row in connection.execute(statement)]
