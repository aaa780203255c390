"""Texts of cells. Pure."""

import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Beginnings of texts run as formulas by a spreadsheet (OWASP, 'CSV injection'; some programs read
the full-width signs as the plain ones).
"""


def text(value: Any) -> str:
    """The value as text: "" for None, times as ISO 8601, lists and objects as JSON, bytes as
    hexadecimal.
    """
    for kinds, written in _WRITTEN:
        if isinstance(value, kinds):
            return written(value)
    return str(value)


def is_number(value: Any) -> bool:
    """Whether the value is a number, and not a boolean."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def guarded(cell: str) -> str:
    """The text with an apostrophe before a formula, against its execution by a spreadsheet;
    `unguarded` removes the apostrophe.
    """
    return f"'{cell}" if _is_dangerous(cell) else cell


def unguarded(cell: str) -> str:
    """The original text of a guarded one, exactly."""
    return cell[1:] if cell.startswith("'") and _is_dangerous(cell) else cell


def weight(row: tuple[Any, ...]) -> int:
    """Approximate bytes of a row's values."""
    return sum(map(_weight, row))


def _weight(value: Any) -> int:
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, memoryview):
        return value.nbytes
    if isinstance(value, list | tuple):
        return 8 + sum(map(_weight, value))
    if isinstance(value, dict):
        return 8 + sum(len(str(key)) + _weight(item) for key, item in value.items())
    return _FIXED.get(type(value), 64)


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
"""The text of each type's values; the first fitting type counts."""


def _is_dangerous(cell: str) -> bool:
    """Whether a spreadsheet could run the text. Apostrophes and blanks before a formula do not make
    the text harmless, so one apostrophe more or less changes no answer.
    """
    return cell.lstrip("' \xa0").startswith(FORMULA_STARTS)
