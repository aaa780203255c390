"""Runs found by a part of a name, or by the beginning of an id, without reading all runs.

Reads only. The names of schedules and jobs are few beside the runs. They are listed from the index,
jumping from name to name, and searched first; then the newest runs of each name are read by index.
Where most names match, the newest runs are read one after the other until the page is full.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    and_,
    bindparam,
    column,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
    values,
)
from sqlalchemy.orm import InstrumentedAttribute

from scheduler.history.models import Run

MOST_NAMES = 100
"""Names whose runs are read by index; more are found quickly among the newest runs."""


def found_keys(
    connection: Connection, text: str, conditions: Sequence[ColumnElement[bool]], limit: int
) -> ColumnElement[bool]:
    """Return the condition for the newest `limit` runs that match the text and the conditions.

    `text` is in lower case. The condition may match more runs, never fewer.
    """
    matching = [
        (place, name)
        for place in (Run.schedule, Run.job)
        for name in names(connection, place)
        if text in name.lower()
    ]
    prefix = has_prefix(connection, text)
    if len(matching) > MOST_NAMES:
        return or_(prefix, *_in_names(matching))
    parts = [prefix, *(place == name for place, name in matching)]
    newest = [_newest(part, conditions, limit) for part in parts]
    return Run.key.in_(select(union_all(*newest).subquery().c.key))


def names(connection: Connection, place: InstrumentedAttribute[Any]) -> list[str]:
    """Return the different values of an indexed column, each found by a step in the index."""
    first = select(func.min(place).label("name")).cte("names", recursive=True)
    following = select(func.min(place)).where(place > first.c.name).scalar_subquery()
    every = first.union_all(select(following).where(first.c.name.is_not(None)))
    return [name for name in connection.execute(select(every.c.name)).scalars() if name]


def has_prefix(connection: Connection, text: str) -> ColumnElement[bool]:
    """Return the condition of runs whose id begins with the text.

    A range of the index in SQLite, which compares bytes. PostgreSQL uses the index only where texts
    are ordered by bytes, too (`C`).
    """
    begins = Run.id.startswith(text, autoescape=True)
    if connection.dialect.name != "sqlite":
        return begins
    return and_(Run.id >= literal(text), Run.id < literal(text + "\U0010ffff"), begins)


def _in_names(matching: Sequence[tuple[Any, str]]) -> list[ColumnElement[bool]]:
    # Not the bare column: SQLite would read and sort all runs of all these names.
    return [
        func.coalesce(place, "").in_([name for other, name in matching if other is place])
        for place in (Run.schedule, Run.job)
    ]


def _newest(
    part: ColumnElement[bool], conditions: Sequence[ColumnElement[bool]], limit: int
) -> Select[Any]:
    newest = select(Run.key).where(part, *conditions).order_by(Run.key.desc()).limit(limit)
    return select(newest.subquery().c.key)


def newest_rows(
    connection: Connection, uids: Sequence[str], columns: Sequence[Any], count: int
) -> Iterator[Row[Any]]:
    """The newest `count` runs of each schedule, newest first within each."""
    if connection.dialect.name == "sqlite":
        one = _of_schedule(columns, bindparam("uid"), count)
        for uid in uids:
            yield from connection.execute(one, {"uid": uid})
        return
    if uids:
        wanted = values(column("uid", String), name="wanted").data([(uid,) for uid in uids])
        newest = _of_schedule(columns, wanted.c.uid, count).correlate(wanted).lateral("newest")
        shown = select(newest).select_from(wanted.join(newest, true()))
        yield from connection.execute(shown.order_by(newest.c.schedule_uid, newest.c.key.desc()))


def _of_schedule(columns: Sequence[Any], uid: Any, count: int) -> Select[Any]:
    newest = select(*columns, Run.key).where(Run.schedule_uid == uid)
    return newest.order_by(Run.key.desc()).limit(count)
