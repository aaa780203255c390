"""One value as the text of a cell. Pure."""

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text that begins so would be run by a spreadsheet (OWASP, 'CSV injection'; some programs read
the full-width signs as the plain ones)."""


def text(value: Any) -> str:
    """The value as text; nothing for none. Times as ISO 8601, lists and objects as JSON, bytes as
    hexadecimal.
    """
    for kinds, written in _WRITTEN:
        if isinstance(value, kinds):
            return written(value)
    return str(value)


def is_number(value: Any) -> bool:
    """Is it a number, and not a truth value?"""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def guarded(cell: str) -> str:
    """The text so that no spreadsheet takes it for a formula: an apostrophe before it. `unguarded`
    takes it away.
    """
    return f"'{cell}" if _is_dangerous(cell) else cell


def unguarded(cell: str) -> str:
    """The text that was guarded, exactly."""
    return cell[1:] if cell.startswith("'") and _is_dangerous(cell) else cell


def weight(row: tuple[Any, ...]) -> int:
    """About how many bytes the values of a row are."""
    return sum(
        len(value) if isinstance(value, str | bytes) else _FIXED.get(type(value), 64)
        for value in row
    )


_FIXED = {
    int: 8,
    float: 8,
    bool: 1,
    type(None): 1,
    datetime: 20,
    date: 10,
    Decimal: 16,
    time: 10,
    timedelta: 16,
}


_WRITTEN: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (str, str),
    (type(None), lambda _: ""),
    (bool, lambda value: "true" if value else "false"),
    (Decimal, lambda value: format(value, "f")),
    ((datetime, date, time), lambda value: str(value.isoformat())),
    ((bytes, memoryview), lambda value: bytes(value).hex()),
    ((list, dict, tuple), lambda value: json.dumps(value, ensure_ascii=False, default=text)),
)
"""How a value of each type is written; the first that fits counts."""


def _is_dangerous(cell: str) -> bool:
    """Apostrophes and blanks before a formula do not make it harmless; an apostrophe more or less
    changes no answer.
    """
    return cell.lstrip("' \xa0").startswith(FORMULA_STARTS)
