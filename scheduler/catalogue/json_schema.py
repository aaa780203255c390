"""Whether a value fits the JSON schema of a job's parameters, so that a wrong one is refused where
it is typed. Pure.

Knows what pydantic writes for models (JSON Schema 2020-12): types, choices, bounds, lengths,
patterns, lists, objects, unions and references within the schema. What it does not know it lets
pass: the worker, which has the model itself, checks again and finally.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scheduler.events.bounds import REFERENCE

_ANNOTATIONS = {
    "null": "None",
    "boolean": "bool",
    "integer": "int",
    "number": "float",
    "string": "str",
    "array": "list",
    "object": "dict",
}
Schema = Mapping[str, Any]

_DEEPEST = 40
_LONGEST_PATTERN_TEXT = 10_000
_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_WORDS = {
    "null": "nothing (null)",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "array": "a list",
    "object": "an object",
}


def faults(schema: Schema, value: Any) -> list[str]:
    """What is wrong, each as `place: what it is to be`; the place is empty for the value itself."""
    return [
        f"{place}: {what}" if place else what
        for place, what in _faults(schema, value, schema, "", 0)
    ]


def inlined(schema: Schema, whole: Schema) -> dict[str, Any]:
    """The schema with the definitions that it refers to, so that it can be read without the
    whole.
    """
    found = {**_followed(schema, whole)}
    if "$defs" in whole and "$ref" in json.dumps(found):
        found["$defs"] = whole["$defs"]
    return found


def alternatives(schema: Schema) -> list[Schema]:
    """The schemas of which a value has to fit one, without the one for nothing."""
    parts = schema.get("anyOf") or schema.get("oneOf") or [schema]
    return [_followed(part, schema) for part in parts if part.get("type") != "null"]


def words_of(schema: Schema, whole: Schema) -> str:
    """The kinds of values that fit, as a type would be written: `int | None`, `list[str]`, `'fast'
    | 'slow'`.
    """
    schema = _followed(schema, whole)
    if "enum" in schema:
        return " | ".join(repr(one) for one in schema["enum"])
    if "const" in schema:
        return repr(schema["const"])
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " | ".join(dict.fromkeys(words_of(option, whole) for option in options))
    kind = str(schema.get("type", "any"))
    if kind == "array" and "items" in schema:
        return f"list[{words_of(schema['items'], whole)}]"
    return _ANNOTATIONS.get(kind, kind)


def _followed(schema: Schema, whole: Schema) -> Schema:
    """What a reference refers to, with what is said beside the reference."""
    for _ in range(_DEEPEST):
        name = schema.get("$ref")
        if not isinstance(name, str):
            return schema
        there = whole.get("$defs", {}).get(name.rpartition("/")[2], {})
        schema = {**there, **{key: item for key, item in schema.items() if key != "$ref"}}
    return {}


def _faults(
    schema: Any, value: Any, whole: Schema, place: str, depth: int
) -> Iterator[tuple[str, str]]:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return
    schema = _followed(schema, whole)
    if isinstance(value, str) and REFERENCE.search(value):
        return  # what it stands for is known to the worker only
    for part in schema.get("allOf", ()):
        yield from _faults(part, value, whole, place, depth + 1)
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        tried = [list(_faults(option, value, whole, place, depth + 1)) for option in options]
        if all(tried):
            fitting = [
                one
                for one, option in zip(tried, options, strict=True)
                if _is_of_type(option, value, whole)
            ]
            yield from (fitting[0] if len(fitting) == 1 else [(place, _or(tried))])
        return
    wrong = _scalar_fault(schema, value)
    if wrong:
        yield place, wrong
    elif isinstance(value, list):
        yield from _list_faults(schema, value, whole, place, depth)
    elif isinstance(value, dict):
        yield from _object_faults(schema, value, whole, place, depth)


def _is_of_type(schema: Any, value: Any, whole: Schema) -> bool:
    kind = _followed(schema, whole).get("type")
    return kind in _TYPES and _TYPES[kind](value)


def _or(tried: list[list[tuple[str, str]]]) -> str:
    said = dict.fromkeys(what for found in tried for _, what in found[:1])
    return " or ".join(said)


def _scalar_fault(schema: Schema, value: Any) -> str | None:
    """What is wrong with the value itself."""
    if "const" in schema and value != schema["const"]:
        return f"is to be {_shown(schema['const'])}, not {_shown(value)}"
    choices = schema.get("enum")
    if choices is not None and not any(
        type(one) is type(value) and one == value for one in choices
    ):
        return f"is to be one of {', '.join(map(_shown, choices))}, not {_shown(value)}"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_TYPES.get(kind, lambda _: True)(value) for kind in kinds):
        return (
            f"is to be {' or '.join(_WORDS.get(kind, kind) for kind in kinds)}, not {_shown(value)}"
        )
    if isinstance(value, str):
        return _text_fault(schema, value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_fault(schema, value)
    return None


def _number_fault(schema: Schema, value: float) -> str | None:
    bounds: list[tuple[str, Callable[[float, float], bool], str]] = [
        ("minimum", lambda bound, it: it >= bound, "at least"),
        ("maximum", lambda bound, it: it <= bound, "at most"),
        ("exclusiveMinimum", lambda bound, it: it > bound, "more than"),
        ("exclusiveMaximum", lambda bound, it: it < bound, "less than"),
    ]
    for key, holds, words in bounds:
        if isinstance(schema.get(key), int | float) and not holds(schema[key], value):
            return f"is to be {words} {schema[key]}, not {_shown(value)}"
    step = schema.get("multipleOf")
    if isinstance(step, int) and isinstance(value, int) and step and value % step:
        return f"is to be a multiple of {step}, not {_shown(value)}"
    return None


def _text_fault(schema: Schema, value: str) -> str | None:
    if len(value) < schema.get("minLength", 0):
        return f"is to have at least {schema['minLength']} characters"
    if len(value) > schema.get("maxLength", len(value)):
        return f"is to have at most {schema['maxLength']} characters, it has {len(value)}"
    pattern = schema.get("pattern")
    if (
        isinstance(pattern, str)
        and len(value) <= _LONGEST_PATTERN_TEXT
        and not _matches(pattern, value)
    ):
        return f"is to match {pattern}, and {_shown(value)} does not"
    return None


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True  # written in another dialect than ours: the worker knows


def _list_faults(
    schema: Schema, value: list[Any], whole: Schema, place: str, depth: int
) -> Iterator[tuple[str, str]]:
    if len(value) < schema.get("minItems", 0):
        yield place, f"is to have at least {schema['minItems']} parts, it has {len(value)}"
    if len(value) > schema.get("maxItems", len(value)):
        yield place, f"is to have at most {schema['maxItems']} parts, it has {len(value)}"
    first = schema.get("prefixItems", [])
    for number, item in enumerate(value):
        part = first[number] if number < len(first) else schema.get("items", {})
        yield from _faults(part, item, whole, f"{place}[{number}]", depth + 1)


def _object_faults(
    schema: Schema, value: dict[str, Any], whole: Schema, place: str, depth: int
) -> Iterator[tuple[str, str]]:
    inner = f"{place}." if place else ""
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{inner}{name}", "is needed"
    if len(value) > schema.get("maxProperties", len(value)):
        yield place, f"is to have at most {schema['maxProperties']} entries, it has {len(value)}"
    rest = schema.get("additionalProperties", True)
    for name, item in value.items():
        if name in known:
            yield from _faults(known[name], item, whole, f"{inner}{name}", depth + 1)
        elif rest is False:
            yield f"{inner}{name}", f"is not known; known are {', '.join(known)}"
        else:
            yield from _faults(rest, item, whole, f"{inner}{name}", depth + 1)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:79] + "…"
