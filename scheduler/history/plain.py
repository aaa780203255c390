"""Values as both databases can hold them: what does not fit is cut or replaced. Pure.

PostgreSQL refuses NUL in text and NaN in JSON, and text that is too long for its column; SQLite
takes it all. The same event has to give the same row in both.
"""

import math
from datetime import UTC, datetime
from typing import Any, overload

from scheduler.history.rows import UnfoldableEvent

_INTEGER_LIMIT = 2**31


@overload
def text(value: str, limit: int | None = None) -> str: ...
@overload
def text(value: str | None, limit: int | None = None) -> str | None: ...
def text(value: str | None, limit: int | None = None) -> str | None:
    """Text without NUL, cut to `limit` characters with a mark."""
    if value is None:
        return None
    if "\x00" in value:
        value = value.replace("\x00", "\ufffd")
    return value if limit is None or len(value) <= limit else value[: limit - 1] + "…"


@overload
def integer(value: int, name: str) -> int: ...
@overload
def integer(value: int | None, name: str) -> int | None: ...
def integer(value: int | None, name: str) -> int | None:
    """A number that fits its column."""
    if value is not None and not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        raise UnfoldableEvent(f"{name} {value} does not fit 32 bits")
    return value


def json_value(value: Any) -> Any:
    """JSON without NUL in its texts and without numbers that JSON does not have."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {text(name): json_value(item) for name, item in value.items()}
    return value


@overload
def utc(value: datetime) -> datetime: ...
@overload
def utc(value: datetime | None) -> datetime | None: ...
def utc(value: datetime | None) -> datetime | None:
    """The moment in UTC."""
    return None if value is None else value.astimezone(UTC)


def earliest(known: datetime | None, moment: datetime | None) -> datetime | None:
    """The earlier of two moments, as far as there are any."""
    if moment is None:
        return known
    return utc(moment) if known is None or moment < known else known


def seconds(since: datetime | None, until: datetime | None) -> float | None:
    """The time between; never below zero, since two clocks may have taken part."""
    return None if since is None or until is None else max(0.0, (until - since).total_seconds())
