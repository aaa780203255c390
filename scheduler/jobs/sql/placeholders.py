"""Placeholders `:name` of a statement in the database's form: values are bound, and never part of
the text. Pure.
"""

import re
from collections.abc import Mapping
from typing import Any

from scheduler.errors import BadArguments

_TOKEN = re.compile(
    r"""
    (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<comment>--[^\n]*|/\*.*?\*/)
    |(?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?P=tag)\$|\$\$.*?\$\$)
    |(?P<cast>::)
    |(?<![\w:]):(?P<name>[A-Za-z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


def numbered(statement: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The statement with PostgreSQL's `$1`, `$2`…, and the values in the order of the numbers.

    Texts, comments and casts are untouched. Raises BadArguments for a name without a value.
    """
    order: list[str] = []

    def placed(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return match[0]
        if name not in order:
            order.append(name)
        return f"${order.index(name) + 1}"

    text = _TOKEN.sub(placed, statement)
    refuse_unknown(order, values)
    return text, [values[name] for name in order]


def names(statement: str) -> list[str]:
    """The names in a statement, each once, in order."""
    return list(
        dict.fromkeys(match["name"] for match in _TOKEN.finditer(statement) if match["name"])
    )


def refuse_unknown(wanted: list[str], values: Mapping[str, Any]) -> None:
    """Raise BadArguments for a name without a value."""
    missing = [name for name in wanted if name not in values]
    if missing:
        names_text = ", ".join(values)
        raise BadArguments(
            f"parameters: the statement needs a value for :{missing[0]}; given are {names_text}"
        )
