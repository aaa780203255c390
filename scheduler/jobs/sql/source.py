"""Queries by a database's address: a file of SQLite, or PostgreSQL."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from scheduler.jobs.sql import reading_postgres, reading_sqlite
from scheduler.jobs.sql.caps import Batch, Budget


def sqlite_path(address: str) -> str | None:
    """The file of `sqlite:////folder/file.sqlite3`; None for other databases."""
    scheme, _, rest = address.partition("://")
    if scheme.partition("+")[0] != "sqlite":
        return None
    return rest.removeprefix("/").partition("?")[0]


def libpq(address: str) -> str:
    """PostgreSQL's address for libpq: without SQLAlchemy's name of a driver."""
    return f"postgresql://{address.partition('://')[2]}"


def reading(
    address: str, statement: str, values: Mapping[str, Any], budget: Budget
) -> AbstractContextManager[tuple[list[str], Iterator[Batch]]]:
    """Run one read-only statement in this process. Gives the columns, and the rows in batches.

    Only for the child process of a report (`child`), which has limits. Raises StatementFailed
    with the database's reason, BadArguments for a name without a value, and TooMuch where the
    budget's time is over.
    """
    path = sqlite_path(address)
    if path is not None:
        return reading_sqlite.query(path, statement, values, budget)
    return reading_postgres.query(libpq(address), statement, values, budget)
