"""Who changed what, newest first: the revisions of schedules and of calendars, and what was done
with dead letters.

Each of these lies in a table of its own, in the order of its own keys. A page takes from each as
many rows as it may show, and puts them together by time without changing the order of any; where it
ends in each is where the next one begins. Reads only.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from scheduler.errors import Refused
from scheduler.history.cursor import cursor, key_of, not_a_place
from scheduler.history.models import CalendarRevision, DeadLetterChange, Revision
from scheduler.history.views import CHANGED, ChangePage, ChangeView

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
    """A page of the list, or of that part of it which is `of` one kind. Raises Refused."""
    if of and of not in CHANGED:
        raise Refused(
            f"of: {of[:40]!r} is not changed here; choose one of {', '.join(CHANGED)}", field="of"
        )
    places = _places(after)
    read: list[tuple[str, Sequence[Row[Any]]]] = []
    for (what, table, names), before in zip(_TABLES, places, strict=True):
        columns = [getattr(table, name) for name in names]
        statement = select(*columns).order_by(table.key.desc()).limit(limit + 1)
        if before is not None:
            statement = statement.where(table.key < before)
        wanted = not of or of == what
        read.append((what, connection.execute(statement).all() if wanted else ()))
    return _merged(read, places, limit)


def _merged(
    read: Sequence[tuple[str, Sequence[Row[Any]]]], places: list[int | None], limit: int
) -> ChangePage:
    """The newest of all, each in its own order. Pure."""
    items: list[ChangeView] = []
    taken = [0] * len(read)
    while len(items) < limit:
        heads = [at for at, (_, rows) in enumerate(read) if taken[at] < len(rows)]
        if not heads:
            break
        newest = max(heads, key=lambda at: read[at][1][taken[at]].at)
        what, rows = read[newest]
        row = rows[taken[newest]]
        shown = {name: value for name, value in row._mapping.items() if name != "key"}
        items.append(ChangeView.model_validate({"of": what, **shown}))
        taken[newest] += 1
        places[newest] = row.key
    more = any(count < len(rows) for count, (_, rows) in zip(taken, read, strict=True))
    following = _SEPARATOR.join(cursor(place) if place is not None else "" for place in places)
    return ChangePage(items=items, next=following if more else None)


def _places(after: str | None) -> list[int | None]:
    """The last keys that were shown, of each table; none where none of it was."""
    parts = after.split(_SEPARATOR) if after else [""] * len(_TABLES)
    if after and (len(parts) != len(_TABLES) or not any(parts)):
        raise not_a_place(after)
    return [key_of(part) for part in parts]
