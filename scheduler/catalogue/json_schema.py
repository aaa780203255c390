"""The check of values against the JSON schema of a job's parameters, for forms and commands. Pure.

Supports the keywords that pydantic generates for models (JSON Schema 2020-12): types, choices,
bounds, lengths, patterns, lists, objects, unions and references within the schema. Other keywords
are ignored: the worker, with the model itself, makes the final check. No value accepted by the
model is refused: `uniqueItems`, generated for sets, whose models accept a repeated part, is
ignored, and a value may match two alternatives of `oneOf`, generated for unions with a function as
the discriminator.

Why not the package jsonschema: its messages are "0 is less than the minimum of 1" and, for a union,
"is not valid under any of the given schemas", where the form has to describe the accepted values.
The verdicts are the same on 20,000 pairs of a schema and a value, in
`tests/unit/catalogue/test_json_schema_beside_jsonschema.py`, where each wanted difference stands
with its reason.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from scheduler.events.secret_names import REFERENCE

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
    """Return the faults of a value as `place: fault`; without a place for the value itself."""
    return [
        f"{place}: {fault}" if place else fault
        for place, fault in _faults(schema, value, schema, "", 0)
    ]


def inlined(schema: Schema, whole: Schema) -> dict[str, Any]:
    """Return a part of the schema `whole`, with the definitions referenced by the part."""
    part = {**_followed(schema, whole)}
    if "$defs" in whole and "$ref" in json.dumps(part):
        part["$defs"] = whole["$defs"]
    return part


def alternatives(schema: Schema) -> list[Schema]:
    """Return the alternatives of a schema, without the alternative `null`."""
    parts = schema.get("anyOf") or schema.get("oneOf") or [schema]
    schemas = [_followed(part, schema) for part in parts]
    return [part for part in schemas if part.get("type") != "null"]


def words_of(schema: Schema, whole: Schema) -> str:
    """Return the allowed values as a type: `int | None`, `list[str]`, `'fast' | 'slow'`."""
    schema = _followed(schema, whole)
    if "enum" in schema:
        return " | ".join(repr(choice) for choice in schema["enum"])
    if "const" in schema:
        return repr(schema["const"])
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " | ".join(dict.fromkeys(words_of(option, whole) for option in options))
    kinds = _kinds(schema) or ["any"]
    if kinds == ["array"] and "items" in schema:
        return f"list[{words_of(schema['items'], whole)}]"
    return " | ".join(_ANNOTATIONS.get(kind, kind) for kind in kinds)


def _followed(schema: Schema, whole: Schema) -> Schema:
    """Return the schema with `$ref` replaced by the definition; keywords beside the `$ref` win."""
    merged: dict[str, Any] = {}
    for part in _parts(schema, whole):
        merged |= part
    return merged


def _parts(schema: Any, whole: Schema) -> list[Schema]:
    """Return the schema and the definitions behind `$ref`, the last definition first.

    No part has a `$ref`. Empty for true and false, which are schemas too.
    """
    parts: list[Schema] = []
    while isinstance(schema, Mapping) and len(parts) < _DEEPEST:
        parts.insert(0, {key: item for key, item in schema.items() if key != "$ref"})
        name = schema.get("$ref")
        if not isinstance(name, str):
            break
        schema = whole.get("$defs", {}).get(name.rpartition("/")[2])
    return parts


def _faults(
    schema: Any, value: Any, whole: Schema, place: str, depth: int
) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST or (isinstance(value, str) and REFERENCE.search(value)):
        return  # only the worker has the value of a secret
    if schema is False:
        yield place, "must be left out"
    for part in _parts(schema, whole):
        yield from _faults_of_part(part, value, whole, place, depth)


def _faults_of_part(
    schema: Schema, value: Any, whole: Schema, place: str, depth: int
) -> Iterator[tuple[str, str]]:
    """Yield the faults by a schema without a `$ref`."""
    for part in schema.get("allOf", ()):
        yield from _faults(part, value, whole, place, depth + 1)
    for options in (schema.get("anyOf"), schema.get("oneOf")):
        if options:
            yield from _union_faults(options, value, whole, place, depth)
    fault = _scalar_fault(schema, value)
    if fault:
        yield place, fault
    elif isinstance(value, list):
        yield from _list_faults(schema, value, whole, place, depth)
    elif isinstance(value, dict):
        yield from _object_faults(schema, value, whole, place, depth)


def _union_faults(
    options: list[Any], value: Any, whole: Schema, place: str, depth: int
) -> Iterator[tuple[str, str]]:
    """Yield the faults by all alternatives, or by the only one with the type of the value."""
    tried = [list(_faults(option, value, whole, place, depth + 1)) for option in options]
    if not all(tried):
        return
    same_type = [
        found
        for found, option in zip(tried, options, strict=True)
        if _is_of_type(option, value, whole)
    ]
    yield from (same_type[0] if len(same_type) == 1 else [(place, _or(tried))])


def _is_of_type(schema: Any, value: Any, whole: Schema) -> bool:
    kinds = _kinds(_followed(schema, whole))
    return any(kind in _TYPES and _TYPES[kind](value) for kind in kinds)


def _kinds(schema: Schema) -> list[str]:
    """Return the types allowed by the schema; empty for any type."""
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _or(tried: list[list[tuple[str, str]]]) -> str:
    first_faults = dict.fromkeys(fault for found in tried for _, fault in found[:1])
    return " or ".join(first_faults)


def _scalar_fault(schema: Schema, value: Any) -> str | None:
    """Return the fault of the value itself, apart from the parts of a list or object."""
    if "const" in schema and not _is_same(schema["const"], value):
        return f"must be {_shown(schema['const'])}, not {_shown(value)}"
    choices = schema.get("enum")
    if choices is not None and not any(_is_same(choice, value) for choice in choices):
        return f"must be one of {', '.join(map(_shown, choices))}, not {_shown(value)}"
    kinds = _kinds(schema)
    if kinds and not any(_TYPES.get(kind, lambda _: True)(value) for kind in kinds):
        types = " or ".join(_WORDS.get(kind, kind) for kind in kinds)
        return f"must be {types}, not {_shown(value)}"
    if isinstance(value, str):
        return _text_fault(schema, value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_fault(schema, value)
    return None


def _is_same(choice: Any, value: Any) -> bool:
    """Whether the value equals the choice: 1 matches 1.0, but neither 1.0 nor true matches 1."""
    if isinstance(choice, list) and isinstance(value, list):
        return len(choice) == len(value) and all(map(_is_same, choice, value))
    if isinstance(choice, dict) and isinstance(value, dict):
        return choice.keys() == value.keys() and all(
            _is_same(choice[name], value[name]) for name in choice
        )
    if type(choice) is float and type(value) is int:
        return choice == value
    return type(choice) is type(value) and bool(choice == value)


def _number_fault(schema: Schema, value: float) -> str | None:
    bounds: list[tuple[str, Callable[[float, float], bool], str]] = [
        ("minimum", lambda bound, number: number >= bound, "at least"),
        ("maximum", lambda bound, number: number <= bound, "at most"),
        ("exclusiveMinimum", lambda bound, number: number > bound, "more than"),
        ("exclusiveMaximum", lambda bound, number: number < bound, "less than"),
    ]
    for key, is_within, words in bounds:
        if isinstance(schema.get(key), int | float) and not is_within(schema[key], value):
            return f"must be {words} {schema[key]}, not {_shown(value)}"
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and step > 0 and not _is_multiple(value, step):
        return f"must be a multiple of {step}, not {_shown(value)}"
    return None


def _is_multiple(value: float, step: float) -> bool:
    """Whether `value` is a multiple of `step` in decimal notation: 0.3 is three times 0.1."""
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return _exact(value) % _exact(step) == 0


def _exact(number: float) -> Fraction:
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def _text_fault(schema: Schema, value: str) -> str | None:
    if len(value) < schema.get("minLength", 0):
        return f"must have at least {schema['minLength']} characters"
    if len(value) > schema.get("maxLength", len(value)):
        return f"must have at most {schema['maxLength']} characters, it has {len(value)}"
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and _matches(pattern, value) is False:
        return f"must match {pattern}, and {_shown(value)} does not"
    return None


def _matches(pattern: str, text: str) -> bool | None:
    """Whether the text has the pattern; None for an invalid pattern in Python, or a long text."""
    if len(text) > _LONGEST_PATTERN_TEXT:
        return None
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return None


def _list_faults(
    schema: Schema, value: list[Any], whole: Schema, place: str, depth: int
) -> Iterator[tuple[str, str]]:
    if len(value) < schema.get("minItems", 0):
        yield place, f"must have at least {schema['minItems']} parts, it has {len(value)}"
    if len(value) > schema.get("maxItems", len(value)):
        yield place, f"must have at most {schema['maxItems']} parts, it has {len(value)}"
    first = schema.get("prefixItems", [])
    for number, item in enumerate(value):
        part = first[number] if number < len(first) else schema.get("items", {})
        yield from _faults(part, item, whole, f"{place}[{number}]", depth + 1)


def _object_faults(
    schema: Schema, value: dict[str, Any], whole: Schema, place: str, depth: int
) -> Iterator[tuple[str, str]]:
    inner = f"{place}." if place else ""
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{inner}{name}", "is needed"
    if len(value) < schema.get("minProperties", 0):
        yield place, f"must have at least {schema['minProperties']} entries, it has {len(value)}"
    if len(value) > schema.get("maxProperties", len(value)):
        yield place, f"must have at most {schema['maxProperties']} entries, it has {len(value)}"
    for name, item in value.items():
        for _, fault in _faults(schema.get("propertyNames", True), name, whole, "", depth + 1):
            yield f"{inner}{name}", f"the name {fault}"
        for part in _entry_schemas(schema, name):
            if part is False and "additionalProperties" in schema:
                yield (
                    f"{inner}{name}",
                    f"is not known; known are {', '.join(schema.get('properties', {}))}",
                )
            else:
                yield from _faults(part, item, whole, f"{inner}{name}", depth + 1)


def _entry_schemas(schema: Schema, name: str) -> list[Any]:
    """Return the schemas for an entry of this name.

    From `properties` and `patternProperties`, else from `additionalProperties`.
    """
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    own = [properties[name]] if name in properties else []
    matching = [
        True if _matches(pattern, name) is None else part  # left to the worker
        for pattern, part in patterns.items()
        if _matches(pattern, name) is not False
    ]
    return own + matching or [schema.get("additionalProperties", True)]


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:79] + "…"
