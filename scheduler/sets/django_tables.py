"""The tables of django-celery-beat in a foreign database, read as plain rows. Never writes.

Columns are taken as found, so older versions with fewer columns can be read too. Moments without a
zone (SQLite has none) are UTC, as in Django.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, MetaData, Table, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from scheduler.errors import Refused
from scheduler.history.connecting import CONNECT_SECONDS

PREFIX = "django_celery_beat_"
TASKS = PREFIX + "periodictask"
KINDS = {
    "crontab": "crontabschedule",
    "interval": "intervalschedule",
    "clocked": "clockedschedule",
    "solar": "solarschedule",
}
"""The table of each kind of schedule."""

MOST = 100_000

_REMEDY = "give sqlite:////path/db.sqlite3 or postgresql://user:password@host/name"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class PeriodicTask:
    """A row of the tasks, and its schedule's row: None for a dangling or missing reference."""

    task: Row
    kind: str | None
    schedule: Row | None


def periodic_tasks(url: str) -> list[PeriodicTask]:
    """All tasks, ordered by name. Raises Refused where the tables cannot be read."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            return _read(connection)
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise Refused(
            f"the database cannot be read: {str(cause).strip()[:300]}; {_REMEDY}", field="source"
        ) from error
    finally:
        engine.dispose()


def _read(connection: Connection) -> list[PeriodicTask]:
    table_names = set(sqlalchemy.inspect(connection).get_table_names())
    if TASKS not in table_names:
        raise Refused(
            f"the database has no table {TASKS!r}; is it the one that Django uses?", field="source"
        )
    schedules = {
        kind: {row["id"]: row for row in _rows(connection, PREFIX + table)}
        for kind, table in KINDS.items()
        if PREFIX + table in table_names
    }
    tasks = sorted(_rows(connection, TASKS), key=lambda row: str(row["name"]))
    return [_with_schedule(task, schedules) for task in tasks]


def _with_schedule(task: Row, schedules: Mapping[str, Mapping[Any, Row]]) -> PeriodicTask:
    """A task with its schedule: the first kind with a reference, as in django-celery-beat
    itself.
    """
    for kind in ("interval", "crontab", "solar", "clocked"):
        if (key := task.get(f"{kind}_id")) is not None:
            return PeriodicTask(task, kind, schedules.get(kind, {}).get(key))
    return PeriodicTask(task, None, None)


def _rows(connection: Connection, name: str) -> list[Row]:
    table = Table(name, MetaData(), autoload_with=connection, resolve_fks=False)
    found = connection.execute(select(table).limit(MOST + 1)).mappings().all()
    if len(found) > MOST:
        raise Refused(
            f"the table {name!r} has more than {MOST} rows, which is not a set of schedules",
            field="source",
        )
    return [{column: _aware(value) for column, value in row.items()} for row in found]


def _aware(value: Any) -> Any:
    return (
        value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
    )


def _engine(url: str) -> Engine:
    """A read-only engine; a SQLite file stays in its mode. Raises Refused for other addresses."""
    try:
        address = make_url(url)
    except ArgumentError:
        raise Refused(
            f"source: this is not an address of a database; {_REMEDY}", field="source"
        ) from None
    backend = address.get_backend_name()
    if backend == "sqlite" and address.database:
        return _sqlite(Path(address.database))
    if backend in ("postgres", "postgresql"):
        return sqlalchemy.create_engine(
            address.set(drivername="postgresql+psycopg"),
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "options": "-c default_transaction_read_only=on",
            },
            hide_parameters=True,
        )
    raise Refused(
        f"source: a database of the kind {backend!r} is not read; {_REMEDY}", field="source"
    )


def _sqlite(path: Path) -> Engine:
    if not path.is_file():
        raise Refused(f"source: there is no file {str(path)!r}; {_REMEDY}", field="source")
    name = f"file:{quote(str(path.resolve()))}"
    return sqlalchemy.create_engine(
        URL.create("sqlite", database=name, query={"mode": "ro", "uri": "true"})
    )
