"""The shape of a fuzz target: a reader of text, its errors, its longest text, and good texts."""

from collections.abc import Callable
from typing import Any, NamedTuple

from scheduler.errors import BeatdeskError


class Reader(NamedTuple):
    """A reader of text that somebody outside writes."""

    read: Callable[[str], Any]
    samples: tuple[str, ...]
    """Good texts, from which bad ones are made."""

    longest: int = 2_000
    """Characters of the longest text that reaches the reader, or more than anybody writes there."""

    errors: tuple[type[Exception], ...] = (BeatdeskError,)
    """The errors that the reader documents; any other is a fault."""

    seconds: float = 0.5
    """CPU seconds that one text may cost."""


def of_bytes(read: Callable[[bytes], Any]) -> Callable[[str], Any]:
    """Return a reader of text for a reader of bytes; lone surrogates become bytes beyond UTF-8."""
    return lambda text: read(text.encode("utf-8", "surrogatepass"))
