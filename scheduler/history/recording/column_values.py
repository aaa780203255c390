"""Event values as both databases can hold them: unfit values are cut, replaced or refused. Pure.

PostgreSQL refuses NUL in text, NaN in JSON and text longer than its column; SQLite takes all three.
The same event must give the same row in both.
"""

import math
from datetime import UTC, datetime
from typing import Any, overload

from scheduler.history.recording.rows import UnfoldableEvent

_INTEGER_LIMIT = 2**31


@overload
def text(value: str, limit: int | None = None) -> str: ...
@overload
def text(value: str | None, limit: int | None = None) -> str | None: ...
def text(value: str | None, limit: int | None = None) -> str | None:
    """Text without NUL, cut to `limit` characters; the last character is then `…`. None stays
    None.
    """
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
    """The number, if it fits a 32-bit column; None stays None. Raises UnfoldableEvent with
    `name`.
    """
    if value is not None and not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        raise UnfoldableEvent(f"{name} {value} does not fit 32 bits")
    return value


def json_value(value: Any) -> Any:
    """JSON whose texts have no NUL and whose numbers are finite; infinities and NaN become null."""
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
    """The moment in UTC; None stays None."""
    return None if value is None else value.astimezone(UTC)


def earliest(earlier: datetime | None, moment: datetime | None) -> datetime | None:
    """The earlier of two moments, in UTC; where one is None, the other."""
    if moment is None:
        return earlier
    return utc(moment) if earlier is None or moment < earlier else earlier


def seconds(since: datetime | None, until: datetime | None) -> float | None:
    """Seconds from `since` to `until`, at least 0: the two clocks may differ. None without both."""
    return None if since is None or until is None else max(0.0, (until - since).total_seconds())
