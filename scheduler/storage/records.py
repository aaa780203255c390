"""Small records in Redis, JSON objects: readers that never raise. Pure.

Anybody with the right to write to Redis may have written a record. What Beatdesk did not write is
None here, and the reader of one record goes on with the others.
"""

import json
from datetime import datetime
from typing import Any

COMPUTABLE = 2, 9998
"""The years whose instants have a wall time in every zone."""


def object_in(text: Any) -> dict[str, Any] | None:
    """Return the JSON object in a text; None for any other text, and for no text."""
    if not isinstance(text, str | bytes):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def moment_in(value: Any) -> datetime | None:
    """Return the moment of a text in ISO 8601 with an offset; None for any other value."""
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    is_aware = moment.utcoffset() is not None
    return moment if is_aware and COMPUTABLE[0] <= moment.year <= COMPUTABLE[1] else None


def count_in(value: Any) -> int | None:
    """Return a whole number from 0 to 2,147,483,647; None for any other value."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value < 2**31 else None


def text_in(value: Any) -> str | None:
    """Return a text that UTF-8 can carry; a mark stands for what it cannot. None for no text."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None
