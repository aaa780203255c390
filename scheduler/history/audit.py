"""Who changed what: the revisions of schedules and of exclusion calendars as one list, newest
first. Reads only.

The two lie in two tables, each in the order of its own keys. A page takes from each as many rows as
it may show, and puts them together by time without changing the order of either; where it ends in
both is where the next one begins.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from scheduler.errors import Refused
from scheduler.history.cursor import cursor, key_of, not_a_place
from scheduler.history.models import CalendarRevision, Revision
from scheduler.history.views import CHANGED, ChangePage, ChangeView

_TABLES: tuple[tuple[str, type[Revision] | type[CalendarRevision]], ...] = (
    ("schedule", Revision),
    ("calendar", CalendarRevision),
)
_COLUMNS = ("key", "revision", "name", "action", "at", "actor", "comment")
_SEPARATOR = "."


def changes(
    connection: Connection, after: str | None, limit: int, of: str | None = None
) -> ChangePage:
    """A page of the list, or of that part of it which is `of` schedules or calendars. Raises
    Refused.
    """
    if of and of not in CHANGED:
        raise Refused(
            f"of: {of[:40]!r} is not changed here; choose one of {', '.join(CHANGED)}", field="of"
        )
    places = _places(after)
    read: list[tuple[str, Sequence[Row[Any]]]] = []
    for (what, table), before in zip(_TABLES, places, strict=True):
        statement = (
            select(*(getattr(table, name) for name in _COLUMNS))
            .order_by(table.key.desc())
            .limit(limit + 1)
        )
        if before is not None:
            statement = statement.where(table.key < before)
        wanted = not of or of == what
        read.append((what, connection.execute(statement).all() if wanted else ()))
    return _merged(read, places, limit)


def _merged(
    read: Sequence[tuple[str, Sequence[Row[Any]]]], places: list[int | None], limit: int
) -> ChangePage:
    """The newest of both, each in its own order. Pure."""
    items: list[ChangeView] = []
    taken = [0] * len(read)
    while len(items) < limit:
        heads = [at for at, (_, rows) in enumerate(read) if taken[at] < len(rows)]
        if not heads:
            break
        newest = max(heads, key=lambda at: read[at][1][taken[at]].at)
        what, rows = read[newest]
        row = rows[taken[newest]]
        items.append(
            ChangeView(of=what, **{name: getattr(row, name) for name in _COLUMNS if name != "key"})
        )
        taken[newest] += 1
        places[newest] = row.key
    more = any(count < len(rows) for count, (_, rows) in zip(taken, read, strict=True))
    following = _SEPARATOR.join(cursor(place) if place is not None else "" for place in places)
    return ChangePage(items=items, next=following if more else None)


def _places(after: str | None) -> list[int | None]:
    """The last keys that were shown, of each table; none where none of it was."""
    parts = after.split(_SEPARATOR) if after else [""] * len(_TABLES)
    if after and len(parts) != len(_TABLES):
        raise not_a_place(after)
    return [key_of(part) for part in parts]
