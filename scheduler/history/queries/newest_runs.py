"""The newest run of each schedule, read through the database's driver, not by SQLAlchemy.

A list of schedules shows a single word of the history, and importing SQLAlchemy takes longer than
the rest of the command. Addresses other than a file, or a server with a login, are left to
`queries.history`. A test holds the answers of both equal, on SQLite and on PostgreSQL.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote

from scheduler.history.connecting import BUSY_SECONDS, POSTGRES, in_parts, is_storable

if TYPE_CHECKING:
    from scheduler.history.queries.history import History

_SQLITE = re.compile(r"sqlite:///(?P<path>[^?]+)")

_TEXT = r"[\w.~%!$&'()*+,;=-]"
_POSTGRESQL = re.compile(
    rf"(?:postgresql|postgres)(?:\+psycopg)?://(?:(?P<user>{_TEXT}+)(?::(?P<password>{_TEXT}*))?@)?"
    r"(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]+))?/(?P<name>[\w.-]+)(?:\?(?P<query>[^#]*))?"
)
_OF_SQLALCHEMY = frozenset({"host", "port"})
"""In the query of an address, SQLAlchemy's own way of naming several servers."""

_PART = (
    "SELECT * FROM (SELECT schedule_uid, id, coalesce(tree_state, state) FROM runs "
    "WHERE schedule_uid = {} ORDER BY key DESC LIMIT 1) AS newest"
)
_UNIONS = 100
"""Schedules in a statement; SQLite takes at most 500 parts."""


class NewestRun(NamedTuple):
    """The id and state of a run."""

    id: str
    state: str


class Driver(NamedTuple):
    """A connection of the database's driver; `mark` stands for a value in its SQL."""

    connection: Any
    mark: str


class NewestRuns:
    """The newest runs in a database."""

    def __init__(self, address: str, history: "Callable[[], History]") -> None:
        """`address` is SQLAlchemy's; `history` answers for addresses not readable here."""
        self._address = address
        self._history = history

    def of(self, uids: Sequence[str]) -> dict[str, NewestRun]:
        """Return the newest run of each schedule, by the schedule's uid.

        Schedules without runs are left out. Raises the driver's errors (see `driver_errors`), or
        SQLAlchemy's.
        """
        with by_driver(self._address) as driver:
            if driver is not None:
                return _newest(driver.connection, uids, driver.mark)
        newest = self._history().last_runs(uids, 1)
        return {uid: NewestRun(runs[0].id, runs[0].state) for uid, runs in newest.items() if runs}


@contextmanager
def by_driver(address: str) -> Iterator[Driver | None]:
    """A connection to the database without SQLAlchemy; None for addresses left to SQLAlchemy.

    Raises the driver's errors.
    """
    if path := sqlite_path(address):
        with _sqlite(path) as connection:
            yield Driver(connection, "?")
    elif (options := postgres_options(address)) is not None:
        with _postgres(options) as connection:
            yield Driver(connection, "%s")
    else:
        yield None


def sqlite_path(address: str) -> str | None:
    """Return the file of an address such as `sqlite:////folder/history.sqlite3`; else None."""
    parsed = _SQLITE.fullmatch(address)
    path = None if parsed is None else unquote(parsed["path"])
    return None if path is None or path == ":memory:" or path.startswith("file:") else path


def postgres_options(address: str) -> dict[str, Any] | None:
    """Return the options of libpq for an address with a single server; else None."""
    parsed = _POSTGRESQL.fullmatch(address)
    if parsed is None:
        return None
    query = dict(parse_qsl(parsed["query"] or ""))
    if query.keys() & _OF_SQLALCHEMY or (parsed["query"] or "").count("=") != len(query):
        return None
    given = {
        "host": parsed["host"].strip("[]"),
        "port": parsed["port"],
        "dbname": parsed["name"],
        "user": parsed["user"] and unquote(parsed["user"]),
        "password": parsed["password"] and unquote(parsed["password"]),
    }
    return {**{name: value for name, value in given.items() if value}, **query, **POSTGRES}


@contextmanager
def _sqlite(path: str) -> Iterator[Any]:
    if not Path(path).exists():
        raise sqlite3.OperationalError(f"no such table: runs (there is no {path})")
    address = f"file:{quote(path)}?mode=rw"  # without the mode, a missing file would be made
    with closing(
        sqlite3.connect(address, timeout=BUSY_SECONDS, isolation_level=None, uri=True)
    ) as connection:
        yield connection


@contextmanager
def _postgres(options: dict[str, Any]) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(**options, autocommit=True) as connection:
        yield connection


def _newest(connection: Any, uids: Sequence[str], mark: str) -> dict[str, NewestRun]:
    """Return the newest runs, with many schedules in a statement.

    `mark` stands for a value in the driver's SQL.
    """
    storable = [uid for uid in uids if is_storable(uid)]
    newest: dict[str, NewestRun] = {}
    for part in in_parts(storable, _UNIONS):
        statement = " UNION ALL ".join([_PART.format(mark)] * len(part))
        newest |= {
            uid: NewestRun(id_, state) for uid, id_, state in connection.execute(statement, part)
        }
    return newest
