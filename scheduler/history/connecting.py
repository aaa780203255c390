"""Options of connections to the history, and the values that fit into a statement. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

Value = TypeVar("Value")

AT_ONCE = 400
"""Values named in a statement; SQLite takes unions of at most 500."""

BUSY_SECONDS = 15
"""Seconds that a writer waits for another writer in SQLite."""

CONNECT_SECONDS = 5
"""Seconds that a connection to PostgreSQL may take to open."""

POSTGRES: dict[str, int | str] = {
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "beatdesk",
    # A server that vanished silently is noticed within half a minute, not after the kernel's
    # two hours.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


@dataclass(frozen=True)
class SqlLimits:
    """Seconds that a process waits for the database. None is without a limit."""

    pool: float = 30
    """For a free connection of the pool."""

    connect: int = CONNECT_SECONDS
    """For opening a connection to PostgreSQL."""

    busy: float = BUSY_SECONDS
    """For SQLite's lock."""

    lock: float | None = None
    """For a lock of PostgreSQL, such as that of a table."""

    statement: float | None = None
    """For a whole statement in PostgreSQL."""

    @property
    def are_for_pages(self) -> bool:
        """Whether somebody waits for a page, so that it is better to give up."""
        return self.lock is not None


FOR_PROCESSES = SqlLimits()
"""Beat, workers, recorder and commands wait for a database that is busy."""

FOR_PAGES = SqlLimits(pool=2, connect=2, busy=2, lock=2, statement=8)
"""A page waits two seconds for what others hold, then it says so. Eight seconds for a statement
leave time for a page about it within the ten seconds of a request."""


def in_parts(values: Sequence[Value], size: int = AT_ONCE) -> Iterator[Sequence[Value]]:
    """Yield the values in order, in parts of at most `size`, for a statement each."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def is_storable(text: str) -> bool:
    """Whether a database can hold the text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
