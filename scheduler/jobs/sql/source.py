"""The database of an address: SQLite's file, or PostgreSQL."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any

from scheduler.jobs.sql import reading_postgres, reading_sqlite
from scheduler.jobs.sql.caps import Batch, Budget


def sqlite_path(address: str) -> str | None:
    """The file of `sqlite:////folder/file.sqlite3`; none for other databases."""
    scheme, _, rest = address.partition("://")
    return (
        rest.removeprefix("/").partition("?")[0] if scheme.partition("+")[0] == "sqlite" else None
    )


def libpq(address: str) -> str:
    """PostgreSQL's address as its own library takes it: without SQLAlchemy's name of a driver."""
    return f"postgresql://{address.partition('://')[2]}"


def asked(
    address: str, statement: str, values: Mapping[str, Any], budget: Budget
) -> AbstractContextManager[tuple[list[str], Iterator[Batch]]]:
    """The columns and rows of one statement that can only read. Raises StatementFailed,
    BadArguments.
    """
    path = sqlite_path(address)
    if path is not None:
        return reading_sqlite.asked(path, statement, values, budget)
    return reading_postgres.asked(libpq(address), statement, values, budget)
