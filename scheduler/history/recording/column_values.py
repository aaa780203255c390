"""Event values fit for both databases: unfit values are cut, replaced or refused. Pure.

PostgreSQL refuses NUL in text, NaN in JSON and text longer than the column; SQLite takes all three.
An event must give equal rows in both.
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
    """Return text without NUL, cut to `limit` characters; a cut text ends in `…`.

    None stays None.
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
    """Return the number if a 32-bit column can hold it; None stays None.

    Raises UnfoldableEvent with `name`.
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
    """Return the earlier of two moments, in UTC; the other where a moment is None."""
    if moment is None:
        return earlier
    return utc(moment) if earlier is None or moment < earlier else earlier


def seconds(since: datetime | None, until: datetime | None) -> float | None:
    """Seconds from `since` to `until`, at least 0: the two clocks may differ. None without both."""
    return None if since is None or until is None else max(0.0, (until - since).total_seconds())
