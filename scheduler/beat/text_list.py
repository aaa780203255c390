"""Lists of texts in MessagePack, as `cmsgpack` on the server reads them. Pure.

Only two of its forms are needed: `array 32` and `str 32` of the specification
(https://github.com/msgpack/msgpack/blob/master/spec.md). Lengths always have four bytes, so that a
text with places can be filled in without a look at how long it becomes.
"""

from collections.abc import Iterable
from typing import Any

LENGTH_BYTES = 4
"""Bytes of a length, the greatest first."""

TEXT = b"\xdb"
"""What stands before the length of a text."""

_LIST = b"\xdd"


def length(size: int) -> bytes:
    """Return a length as it stands before a text. Raises OverflowError beyond 4 GiB."""
    return size.to_bytes(LENGTH_BYTES)


def packed_text(value: Any) -> bytes:
    """Return bytes, a text as UTF-8, or a whole number as a text of the list."""
    data = value if isinstance(value, bytes) else str(value).encode()
    return TEXT + length(len(data)) + data


def packed_texts(values: Iterable[Any]) -> bytes:
    """Return the texts of a list one behind the other."""
    return b"".join(map(packed_text, values))


def packed_list(count: int, texts: bytes) -> bytes:
    """Return the list of `count` texts that are packed already."""
    return _LIST + length(count) + texts
