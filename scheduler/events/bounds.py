"""Arguments, results and tracebacks for events: as JSON, bounded, and without secrets. Pure.

Every value of a job becomes a value that can be stored: otherwise the end of a run with an odd
result could not be recorded. The bounds keep the stream and the history small.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from scheduler.events import fast_json
from scheduler.events.redaction import without_secrets
from scheduler.events.secret_names import LONGEST_NAME, MASK, SHORTEST, is_hidden

PAIR = 2
MASKED_FIELDS = ("args", "kwargs", "description")
"""Fields of a schedule that may have a secret in them, saved before secrets were refused."""

_NAMING = ("name", "key", "header")
"""Fields with the name of the field `value` beside them."""

DEEPEST = 20
"""Most levels of nesting; a deeper value becomes the beginning of its repr."""

DEEP_TEXT = 500
"""Characters of the repr of a value that is nested too deep."""

_written = fast_json.writer(ascii_only=False, separators=(",", ":"))


def masked_text(text: str) -> str:
    """Return the text with a mask for each recognizable secret (see `redaction`)."""
    return without_secrets(text, MASK) if len(text) >= SHORTEST else text


def plain_text(text: str) -> str:
    """Return the text with lone surrogates and NUL escaped, which UTF-8 or a database refuses."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def bounded_text(text: str, limit: int, *, keep: str = "start") -> str:
    """Return the text with secrets hidden, cut to about `limit` bytes, with a mark at the cut.

    `keep="ends"` cuts in the middle: the first and last lines of a traceback are the most useful.
    """
    text = masked_text(plain_text(text))
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
    """Return the value as JSON, with a mask for every value under the name of a secret.

    A value that JSON does not have becomes text. May raise whatever the value's methods raise.
    """
    if value is None or isinstance(value, str | int | float):
        return _scalar(value)
    if depth >= DEEPEST:
        return _shortened(_text(value))
    if isinstance(value, list | tuple | set | frozenset):
        return _masked_list(list(value), depth)
    if isinstance(value, Mapping):
        return _masked_object(value, depth)
    return _foreign(value, depth)


def masked_field(field: str, value: Any) -> JsonValue:
    """Return the value of a field such as `kwargs.password` as JSON, masked also by its name."""
    return MASK if is_hidden(field.rpartition(".")[2], value) else masked(value)


def masked_definition(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields by name with masks for secrets; a field without a secret is the same object.

    For what is applied again: `masked` also turns numbers beyond 64 bits into text.
    """
    return {name: _masked_if_secret(name, value) for name, value in definition.items()}


def _masked_if_secret(name: str, value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return masked_text(value)
    shown = masked_field(name, value)
    return shown if _has_mask(shown) else value


def _has_mask(value: JsonValue) -> bool:
    """Whether a text in the value has the mask."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if MASK in one:
                return True
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
    return False


def masked_arguments(args: Sequence[Any], names: Sequence[str]) -> list[JsonValue]:
    """Return positional arguments as JSON, masked; `names` are those of the parameters, in order.

    A value without a name is masked like the item of a list.
    """
    shown = _masked_list(list(args), 0)
    return [
        MASK if position < len(names) and is_hidden(names[position], value) else shown[position]
        for position, value in enumerate(args)
    ]


def _masked_list(items: list[Any], depth: int) -> list[JsonValue]:
    """The items masked; hidden is also what follows the option or name of a secret in a list."""
    found: list[JsonValue] = [masked(item, depth + 1) for item in items]
    for position in range(1, len(items)):
        before = items[position - 1]
        item = items[position]
        is_named = isinstance(before, str) and _names_next(before, len(items))
        if is_named and isinstance(item, str) and is_hidden(before, item):
            found[position] = MASK
    return found


def _names_next(text: str, count: int) -> bool:
    """Whether the item is the name of the item after it: `--password`, or the first of a pair."""
    return len(text) <= LONGEST_NAME and (text.startswith("-") or count == PAIR)


def _masked_object(value: Mapping[Any, Any], depth: int) -> dict[str, JsonValue]:
    """The entries masked; hidden is also the `value` of an object with the `name` of a secret."""
    found: dict[str, JsonValue] = {
        plain_text(str(key)): MASK if is_hidden(str(key), item) else masked(item, depth + 1)
        for key, item in value.items()
    }
    # Looked up in `found`, whose keys are texts: another object may print as "value".
    if "value" in found and any(is_hidden(found.get(key), found["value"]) for key in _NAMING):
        found["value"] = MASK
    return found


def bounded(value: Any, limit: int) -> JsonValue:
    """Return the value as JSON of at most about `limit` bytes, with secrets hidden. Never raises.

    A larger value becomes the beginning of its JSON text, with a mark that has the full size.
    """
    return _bounded(value, limit)[0]


def bounded_json(value: Any, limit: int) -> str:
    """Return the value of `bounded` as JSON text."""
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
    """A plain value as JSON; a number that JSON or a database cannot store becomes text."""
    if isinstance(value, str):
        return masked_text(plain_text(str(value)))
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value) if abs(value) < 2**63 else _text(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(value)
    return value


def _foreign(value: Any, depth: int) -> JsonValue:
    """A value without a JSON type: dates, paths and models as pydantic writes such values, all
    others as repr.
    """
    try:
        converted = to_jsonable_python(value)
    except Exception:  # noqa: BLE001 - pydantic does not support the type, or its methods raise
        return _text(value)
    return _text(value) if type(converted) is type(value) else masked(converted, depth + 1)


def _shortened(text: str) -> str:
    return text if len(text) <= DEEP_TEXT else text[:DEEP_TEXT] + "…"


def _text(value: Any) -> str:
    """The value's repr; where the repr raises, a text with the exception's type."""
    try:
        return masked_text(plain_text(repr(value)))
    except Exception as error:  # noqa: BLE001 - a repr may raise anything
        return f"[{type(value).__name__}, cannot be shown: {type(error).__name__}]"
