"""Options of connections to the history, and the values that fit into a statement. Pure."""

from collections.abc import Iterator, Sequence
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


def in_parts(values: Sequence[Value], size: int = AT_ONCE) -> Iterator[Sequence[Value]]:
    """Yield the values in order, in parts of at most `size`, for a statement each."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def is_storable(text: str) -> bool:
    """Whether a database can hold the text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
