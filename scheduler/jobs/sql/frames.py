"""Messages between a worker and the child that reads a user's database. Pure.

A message is JSON after four bytes with its length. Plain JSON, and not pickle: the child works on
statements and data of others, and nothing that it sends may run in the worker.
"""

import json
import struct
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

LENGTH = struct.Struct(">I")
LONGEST_MESSAGE = 64_000_000
"""Most bytes of a message: many times a batch, whose values are bounded."""

_TYPES: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "datetime": (datetime, lambda value: value.isoformat(), datetime.fromisoformat),
    "date": (date, lambda value: value.isoformat(), date.fromisoformat),
    "time": (time, lambda value: value.isoformat(), time.fromisoformat),
    "decimal": (Decimal, str, Decimal),
    "bytes": (bytes, lambda value: value.hex(), bytes.fromhex),
    "interval": (
        timedelta,
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda parts: timedelta(*parts),
    ),
    "tuple": (
        tuple,
        lambda value: [packed(item) for item in value],
        lambda items: tuple(unpacked(item) for item in items),
    ),
    "object": (
        dict,
        lambda value: [[str(key), packed(item)] for key, item in value.items()],
        lambda pairs: {key: unpacked(item) for key, item in pairs},
    ),
}
"""The types beyond JSON, by name: type, encoder, decoder. The first fitting type counts."""


def packed(value: Any) -> Any:
    """Return a database's value as JSON; a value of another type as its text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [packed(item) for item in value]
    if isinstance(value, memoryview):
        value = bytes(value)
    for name, (kind, encode, _) in _TYPES.items():
        if isinstance(value, kind):
            return {"type": name, "value": encode(value)}
    return str(value)


def unpacked(value: Any) -> Any:
    """Return the value that `packed` encoded."""
    if isinstance(value, list):
        return [unpacked(item) for item in value]
    if isinstance(value, dict):
        return _TYPES[value["type"]][2](value["value"])
    return value


def message(content: dict[str, Any]) -> bytes:
    """Return a message with its length before it."""
    raw = json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return LENGTH.pack(len(raw)) + raw


def content_of(raw: bytes) -> dict[str, Any]:
    """Return the content of a message without its length. Raises ValueError for another text."""
    try:
        content = json.loads(raw.decode("utf-8", "surrogatepass"))
    except RecursionError:
        raise ValueError("the message is nested too deep") from None
    if not isinstance(content, dict):
        raise ValueError("the message is not an object")
    return content
