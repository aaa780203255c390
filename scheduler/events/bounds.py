"""What of a job's arguments, result and traceback may stand in an event: JSON, bounded, without
secrets.

Pure, and total: whatever a job returns, something that can be stored comes out, because an end that
cannot be written down would be an end that nobody hears of. The bounds keep the stream and the
history small.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from scheduler.events import fast_json
from scheduler.events.redaction import without_secrets
from scheduler.events.secret_names import MASK, is_hidden

DEEPEST = 20
"""Levels of nesting that are kept; what lies deeper becomes its text."""

_written = fast_json.writer(ascii_only=False, separators=(",", ":"))
_URL_PASSWORD = re.compile(
    r"(?P<head>\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@]{0,200}:)[^\s/@]{1,500}(?=@)", re.IGNORECASE
)


def masked_text(text: str) -> str:
    """The text with the passwords in its addresses (`scheme://user:password@host`) hidden."""
    return _URL_PASSWORD.sub(lambda found: found["head"] + MASK, text) if "://" in text else text


def plain_text(text: str) -> str:
    """The text without what UTF-8, JSON or a database cannot hold (lone surrogates, NUL)."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def bounded_text(text: str, limit: int, *, keep: str = "start") -> str:
    """The text, secrets in it hidden, in at most about `limit` bytes; what is cut leaves a mark.

    `keep="ends"` cuts in the middle: a traceback tells the most in its first and last lines.
    """
    text = without_secrets(masked_text(plain_text(text)), MASK)
    raw = text.encode()
    if len(raw) <= limit:
        return text
    mark = f"… [cut: {len(raw)} bytes, {limit} kept] …"
    if keep == "start":
        return raw[:limit].decode("utf-8", "ignore") + mark
    head = raw[: limit // 4].decode("utf-8", "ignore")
    tail = raw[-(limit - limit // 4) :].decode("utf-8", "ignore")
    return f"{head}\n{mark}\n{tail}"


def masked(value: Any, depth: int = 0) -> JsonValue:
    """The value as JSON, with what stands under a secret's name hidden; what is not JSON becomes
    its text.
    """
    if value is None or isinstance(value, str | int | float):
        return _scalar(value)
    if depth >= DEEPEST:
        return _text(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {
            plain_text(str(key)): MASK if is_hidden(str(key), item) else masked(item, depth + 1)
            for key, item in value.items()
        }
    return _foreign(value, depth)


def bounded(value: Any, limit: int) -> JsonValue:
    """The value as JSON of at most about `limit` bytes, secrets hidden.

    A value that is too large becomes the beginning of its JSON text, with a mark that says how
    large it was.
    """
    return _bounded(value, limit)[0]


def bounded_json(value: Any, limit: int) -> str:
    """What `bounded` answers, as JSON text."""
    return _bounded(value, limit)[1]


def _bounded(value: Any, limit: int) -> tuple[JsonValue, str]:
    try:
        safe = masked(value)
    except Exception as error:  # noqa: BLE001 - a result's own methods may raise anything
        safe = f"[cannot be shown: {type(error).__name__}]"
    text = _written(safe)
    if len(text) <= limit and (text.isascii() or len(text.encode()) <= limit):
        return safe, text
    cut = bounded_text(text, limit)
    return cut, _written(cut)


def _scalar(value: str | bool | int | float | None) -> JsonValue:
    """JSON's own plain values; numbers that JSON or a database cannot hold become their text."""
    if isinstance(value, str):
        return masked_text(plain_text(str(value)))
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value) if abs(value) < 2**63 else _text(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(value)
    return value


def _foreign(value: Any, depth: int) -> JsonValue:
    """A value that is not JSON: dates, paths, models and the like in their usual form, anything
    else as its repr.
    """
    try:
        known = to_jsonable_python(value)
    except Exception:  # noqa: BLE001 - not a type that pydantic knows, or one that fails to serialise
        return _text(value)
    return _text(value) if type(known) is type(value) else masked(known, depth + 1)


def _text(value: Any) -> str:
    """The value's repr; a repr that raises is said so."""
    try:
        return masked_text(plain_text(repr(value)))
    except Exception as error:  # noqa: BLE001 - a repr may raise anything
        return f"[{type(value).__name__}, cannot be shown: {type(error).__name__}]"
