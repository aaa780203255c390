"""Kinds of values in options, headers and properties: predicates, and values for reasons. Pure."""

import reprlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

LONGEST_SECONDS = 1e9
"""Most seconds of a delay or a limit, about 31 years: clocks and timers of all pools hold them."""

GREATEST_COUNT = 2**31 - 1

LONGEST_NAME = 4096
"""Most characters of a value that names something; ids and names of jobs are far shorter."""

Predicate = Callable[[Any], bool]
Kind = tuple[Predicate, str]
"""The judge of a value, and the words for what it allows."""


def shown(value: Any) -> str:
    """Return the beginning of a value's repr for a reason: at most about 80 characters."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > GREATEST_COUNT**2:
        return "a number of more than 18 digits"  # Python refuses to write very long numbers
    try:
        return f"{reprlib.repr(value):.80}"
    except (RecursionError, ValueError):
        return f"a {type(value).__name__} that cannot be shown"


def is_seconds(value: Any) -> bool:
    """Whether a value is a number of seconds that clocks can hold."""
    return _is_number(value) and abs(value) <= LONGEST_SECONDS


def is_limit(value: Any) -> bool:
    """Whether a value is a time limit in seconds; 0 stands for none, as in Celery."""
    return is_seconds(value) and value >= 0


def is_moment_text(value: Any) -> bool:
    """Whether a value is a moment in ISO 8601, or as RedBeat decodes one, between years 2 and 9998.

    So the moment exists in every zone.
    """
    if isinstance(value, str) and len(value) > 64:
        return False
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        moment.timestamp()
    except (TypeError, ValueError, OverflowError, OSError):
        return False
    return 1 < moment.year < 9999


def is_count(value: Any) -> bool:
    """Whether a value is a whole number from 0 to 2,147,483,647."""
    return _is_whole(value) and 0 <= value <= GREATEST_COUNT


def is_text(value: Any) -> bool:
    """Whether a value is a text that UTF-8 can carry."""
    if not isinstance(value, str):
        return False
    return value.isascii() or value.encode("utf-8", "replace").decode() == value


def is_name(value: Any) -> bool:
    """Whether a value is a text of the length of a name."""
    return is_text(value) and len(value) <= LONGEST_NAME


def is_signature_list(value: Any) -> bool:
    """Whether a value is a signature of Celery's as JSON, or a list of them."""
    return all(map(_is_signature, value if isinstance(value, list) else [value]))


def _is_signature(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("task"), str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_moment_or_seconds(value: Any) -> bool:
    """Whether a value is a number of seconds, or a moment."""
    return is_seconds(value) or is_moment_text(value)


def is_switch(value: Any) -> bool:
    """Whether a value is true or false, or 1 or 0."""
    return isinstance(value, bool) or value in (0, 1)


def is_priority(value: Any) -> bool:
    """Whether a value is a priority of any broker; Redis's ends at 9, and moves others there.

    A job may have true as its priority: brokers take it as 1.
    """
    return isinstance(value, int) and -255 <= value <= 255


def is_delivery_mode(value: Any) -> bool:
    """Whether a value says how durably a message is stored."""
    return value in ("persistent", "transient") or (_is_whole(value) and value in (1, 2))


def is_object(value: Any) -> bool:
    """Whether a value is an object."""
    return isinstance(value, Mapping)


def is_text_list(value: Any) -> bool:
    """Whether a value is a list of texts."""
    return isinstance(value, list) and all(map(is_text, value))


TEXT: Kind = is_text, "a text"
NAME: Kind = is_name, f"a text of at most {LONGEST_NAME} characters"
SWITCH: Kind = is_switch, "true or false"
COUNT: Kind = is_count, "a whole number from 0 to 2147483647"
OBJECT: Kind = is_object, "an object"
TEXTS: Kind = is_text_list, "a list of texts"
PRIORITY: Kind = is_priority, "a whole number from -255 to 255"
DELIVERY_MODE: Kind = is_delivery_mode, "1, 2, 'transient' or 'persistent'"
LIMIT: Kind = is_limit, f"a number of seconds from 0 to {LONGEST_SECONDS:.0f}"
SIGNATURES: Kind = is_signature_list, "a signature with a task, or a list of them"
MOMENT: Kind = (
    is_moment_or_seconds,
    f"a number of seconds up to {LONGEST_SECONDS:.0f}, or a moment such as 2026-01-31T06:00:00Z",
)
