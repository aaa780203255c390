"""Rows of a table, read and written by the database's driver: as few statements as possible.

SQLAlchemy compiles a statement once, but converts every value of every row in Python, which took
longer than SQLite itself. Here the text of a statement is made once for a table, from the columns
of `models`, and only times and JSON are converted. The stored values equal those of SQLAlchemy's
types; a test holds both equal.

SQLite takes many rows by a prepared statement (`executemany`); PostgreSQL takes an array for each
column (`unnest`), in a single statement and round trip for all rows.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import JSON, Connection, Date, Table
from sqlalchemy.dialects import postgresql

from scheduler.events import fast_json
from scheduler.history.column_types import UtcDateTime

_to_json = fast_json.writer()
_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]


class NotNewError(Exception):
    """Some rows could not be inserted as new rows."""


class TableIO:
    """Reads and writes some columns of a table. `key` names the columns of a unique key."""

    def __init__(self, table: Table, columns: Sequence[str], key: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self._table = table
        self._key = tuple(key)
        self._values = attrgetter(*columns)
        kinds = [table.c[name].type for name in columns]
        self._times = [at for at, kind in enumerate(kinds) if isinstance(kind, UtcDateTime)]
        self._jsons = [at for at, kind in enumerate(kinds) if isinstance(kind, JSON)]
        self._dates = [at for at, kind in enumerate(kinds) if isinstance(kind, Date)]
        self._types = [table.c[name].type.compile(_POSTGRES) for name in columns]

    def insert(self, connection: Connection, rows: Iterable[object]) -> int:
        """Insert rows; rows whose key exists stay unchanged. Returns the number of new rows."""
        return self._run(connection, "insert", rows)

    def insert_new(self, connection: Connection, rows: Iterable[object]) -> None:
        """Insert rows whose keys do not exist, in PostgreSQL by COPY, in a third of the time.

        Raises NotNewError where COPY fails: the transaction is lost, and `insert` says why.
        """
        if connection.dialect.name == "sqlite":
            self._run(connection, "upsert", rows)
            return
        values = [self._to_driver(row, "postgresql") for row in rows]
        if values:
            self._copy(connection, values)

    def _copy(self, connection: Connection, rows: list[tuple[Any, ...]]) -> None:
        driver: Any = connection.connection.driver_connection
        statement = f"COPY {self._table.name} ({', '.join(self.columns)}) FROM STDIN"
        try:
            with driver.cursor() as cursor, cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
        except Exception as error:
            # The message of a COPY that fails has the values of the row, which may be secret.
            if "Error" not in {kind.__name__ for kind in type(error).__mro__}:
                raise
            raise NotNewError from None

    def upsert(self, connection: Connection, rows: Iterable[object]) -> None:
        """Insert rows, or replace the columns of rows whose key exists."""
        self._run(connection, "upsert", rows)

    def update(self, connection: Connection, rows: Iterable[object]) -> None:
        """Replace the columns of existing rows."""
        self._run(connection, "update", rows)

    def read(
        self, connection: Connection, column: str, values: Sequence[Any], *, locked: bool = False
    ) -> Iterator[list[Any]]:
        """Return the rows with a `column` among `values`, as lists in the order of the columns.

        `locked` locks the rows in PostgreSQL, in the order of the keys; SQLite has no row locks.
        """
        if connection.dialect.name == "sqlite":
            marks = ",".join("?" * len(values))
            condition = f"{column} IN ({marks})"
            result = connection.exec_driver_sql(self._select(condition, ""), tuple(values))
            return (self._from_sqlite(row) for row in result)
        lock = f" ORDER BY {', '.join(self._key)} FOR UPDATE" if locked else ""
        statement = self._select(f"{column} = ANY(%s)", lock)
        result = connection.exec_driver_sql(statement, (list(values),))
        return (self._from_postgres(row) for row in result)

    def _run(self, connection: Connection, action: str, rows: Iterable[object]) -> int:
        values = [self._to_driver(row, connection.dialect.name) for row in rows]
        if not values:
            return 0
        if connection.dialect.name == "sqlite":
            statement = self._sqlite(action)
            return connection.exec_driver_sql(statement, values).rowcount
        arrays = tuple(list(column) for column in zip(*values, strict=True))
        return connection.exec_driver_sql(self._postgres(action), arrays).rowcount

    def _to_driver(self, row: object, dialect: str) -> tuple[Any, ...]:
        values = list(self._values(row))
        # SQLite's own text of a time has no zone. PostgreSQL reads the zone at the end.
        length = 26 if dialect == "sqlite" else None
        for at in self._times:
            moment = values[at]
            if moment is not None:
                values[at] = _in_utc(moment).isoformat(" ", "microseconds")[:length]
        for at in self._dates:
            values[at] = str(values[at])
        for at in self._jsons:
            if values[at] is not None:
                values[at] = _to_json(values[at])
        return tuple(values)

    def _from_sqlite(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for at in self._times:
            if values[at] is not None:
                values[at] = datetime.fromisoformat(values[at]).replace(tzinfo=UTC)
        for at in self._dates:
            values[at] = date.fromisoformat(values[at])
        for at in self._jsons:
            # SQLite stores a JSON text that is a number as a number.
            if isinstance(values[at], str):
                values[at] = json.loads(values[at])
        return values

    def _from_postgres(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for at in self._times:
            if values[at] is not None:
                values[at] = _in_utc(values[at])
        return values

    def _select(self, condition: str, lock: str) -> str:
        return f"SELECT {', '.join(self.columns)} FROM {self._table.name} WHERE {condition}{lock}"  # noqa: S608 - our names

    @cache  # noqa: B019 - one for each table
    def _sqlite(self, action: str) -> str:
        """Return the statement for a row. Values stand in the order of the columns, by number."""
        places = {name: f"?{number}" for number, name in enumerate(self.columns, 1)}
        if action == "update":
            changes = ", ".join(f"{name} = {places[name]}" for name in self._others)
            key = " AND ".join(f"{name} = {places[name]}" for name in self._key)
            return f"UPDATE {self._table.name} SET {changes} WHERE {key}"  # noqa: S608 - our names
        marks = ", ".join(places.values())
        return self._insert(f"VALUES ({marks})") + self._on_conflict(action)

    @cache  # noqa: B019 - one for each table
    def _postgres(self, action: str) -> str:
        """The statement for all rows. Each value is the array of a column."""
        arrays = ", ".join(f"%s::{kind}[]" for kind in self._types)
        names = ", ".join(self.columns)
        rows = f"unnest({arrays}) AS given({names})"
        if action == "update":
            changes = ", ".join(f"{name} = given.{name}" for name in self._others)
            key = " AND ".join(f"stored.{name} = given.{name}" for name in self._key)
            return f"UPDATE {self._table.name} AS stored SET {changes} FROM {rows} WHERE {key}"  # noqa: S608 - our names
        return self._insert(f"SELECT {names} FROM {rows}") + self._on_conflict(action)  # noqa: S608 - our names

    @property
    def _others(self) -> list[str]:
        return [name for name in self.columns if name not in self._key]

    def _insert(self, rows: str) -> str:
        return f"INSERT INTO {self._table.name} ({', '.join(self.columns)}) {rows}"

    def _on_conflict(self, action: str) -> str:
        target = f" ON CONFLICT ({', '.join(self._key)}) DO "
        if action == "insert":
            return target + "NOTHING"
        return (
            target + "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in self._others)
        )


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
