"""Strict reading of typed JSON; messages name the place of the fault and the remedy."""

import json
from collections import Counter
from typing import Any, NoReturn

from pydantic import JsonValue

_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


class BadJson(ValueError):
    """Text that is not JSON; the message names the place and the remedy."""


def parse(text: str) -> JsonValue:
    """Return the JSON value in `text`. Raises BadJson.

    NaN, duplicate names and lone surrogates are refused: JSON readers differ on all three.
    """
    try:
        value: JsonValue = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_single)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise BadJson(
            f"Not JSON at line {error.lineno}, column {error.colno}: {_remedy(text, error)}"
        ) from None
    except RecursionError:
        raise BadJson("This is nested too deep. 20 levels are enough for any job.") from None
    except UnicodeEncodeError:
        raise BadJson(
            "This holds half of a character (\\ud800 to \\udfff). Write the character itself."
        ) from None
    except BadJson:
        raise
    except ValueError as error:
        raise BadJson(f"Not JSON: {error}.") from None
    return value


def kind(value: object) -> str:
    """Return the type of a JSON value in words."""
    return _KINDS.get(type(value), type(value).__name__)


def _remedy(text: str, error: json.JSONDecodeError) -> str:
    near = text[error.pos : error.pos + 1]
    if near == "'":
        return "use double quotes."
    if error.msg.startswith("Expecting property name"):
        return "names stand in double quotes, and no comma stands before the closing brace."
    if error.msg.startswith("Extra data"):
        return "the value ends before this."
    if (
        text[error.pos : error.pos + 4] in ("True", "None")
        or text[error.pos : error.pos + 5] == "False"
    ):
        return "write true, false or null in small letters."
    return f"{error.msg[0].lower()}{error.msg[1:]}."


def _no_constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is not a JSON number. Write a number or null.")


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        doubled = Counter(names).most_common(1)[0][0]
        raise BadJson(f"{doubled!r} stands twice. Keep one of them.")
    return value
