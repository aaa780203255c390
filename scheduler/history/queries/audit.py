"""All changes, newest first: revisions of schedules and calendars, and changes of dead letters.

Each kind has a separate table, ordered by separate keys. A page takes from each table as many rows
as the page may show, and merges the rows by time without changing the order within a table. The
cursor holds the last key of each table. Reads only.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from scheduler.errors import Refused
from scheduler.history.models import CalendarRevision, DeadLetterChange, Revision
from scheduler.history.queries.cursor import cursor, key_of, not_a_place
from scheduler.history.queries.views import CHANGED, ChangePage, ChangeView

_COMMON = ("key", "name", "action", "at", "actor", "comment")
_TABLES: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("schedule", Revision, (*_COMMON, "revision")),
    ("calendar", CalendarRevision, (*_COMMON, "revision")),
    ("dead_letter", DeadLetterChange, (*_COMMON, "letters")),
)
_SEPARATOR = "."


def changes(
    connection: Connection, after: str | None, limit: int, of: str | None = None
) -> ChangePage:
    """Return a page of all changes, or of the changes `of` one kind.

    Raises Refused for an unknown kind and for a text that is not a cursor.
    """
    if of and of not in CHANGED:
        raise Refused(
            f"of: {of[:40]!r} is not changed here; choose one of {', '.join(CHANGED)}", field="of"
        )
    places = _places(after)
    tables: list[tuple[str, Sequence[Row[Any]]]] = []
    for (kind, table, column_names), before in zip(_TABLES, places, strict=True):
        columns = [getattr(table, name) for name in column_names]
        statement = select(*columns).order_by(table.key.desc()).limit(limit + 1)
        if before is not None:
            statement = statement.where(table.key < before)
        is_wanted = not of or of == kind
        tables.append((kind, connection.execute(statement).all() if is_wanted else ()))
    return _merged(tables, places, limit)


def _merged(
    tables: Sequence[tuple[str, Sequence[Row[Any]]]], places: list[int | None], limit: int
) -> ChangePage:
    """Merge the newest rows of all tables, each table in order. Pure."""
    items: list[ChangeView] = []
    taken = [0] * len(tables)
    while len(items) < limit:
        heads = [at for at, (_, rows) in enumerate(tables) if taken[at] < len(rows)]
        if not heads:
            break
        newest = max(heads, key=lambda at: tables[at][1][taken[at]].at)
        kind, rows = tables[newest]
        row = rows[taken[newest]]
        shown = {name: value for name, value in row._mapping.items() if name != "key"}
        items.append(ChangeView.model_validate({"of": kind, **shown}))
        taken[newest] += 1
        places[newest] = row.key
    more = any(count < len(rows) for count, (_, rows) in zip(taken, tables, strict=True))
    following = _SEPARATOR.join(cursor(place) if place is not None else "" for place in places)
    return ChangePage(items=items, next=following if more else None)


def _places(after: str | None) -> list[int | None]:
    """Return the last key in each table on the page before; None where no row was shown."""
    parts = after.split(_SEPARATOR) if after else [""] * len(_TABLES)
    if after and (len(parts) != len(_TABLES) or not any(parts)):
        raise not_a_place(after)
    return [key_of(part) for part in parts]
