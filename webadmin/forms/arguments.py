"""The form for a job's parameters: one field each, and the named arguments read from the fields.

An empty field stands for the job's own default. The argument is then not stored, so that a later
change of the default in code takes effect. Values beyond a single field (an empty text, another
type) are typed as raw JSON.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from pydantic import JsonValue
from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm

from scheduler.catalogue import json_schema
from scheduler.catalogue.records import Parameter
from scheduler.events.secret_names import REFERENCE
from webadmin.forms import json_text
from webadmin.forms.fields import TypedField
from webadmin.forms.sentences import sentence

Widget = Literal["text", "integer", "number", "boolean", "choice", "json"]

_SCHEMA_WIDGETS: dict[str, Widget] = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}
_SCALARS: dict[str, Widget] = {
    "str": "text",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
}


PARAMETER = "p."
"""Prefix of the form fields for single parameters."""

LONGEST = 100_000
"""Longest text of one parameter, in characters."""

LONG_TEXT = 1000
"""Length limit, in characters, from which a text field has several lines."""


class Unsplittable(ValueError):
    """The saved arguments do not fit single fields; the editor shows raw JSON instead."""


class ParameterField(TypedField):
    """The field of one parameter: its widget, text, default and bounds."""

    def __init__(self, parameter: Parameter, **options: Any) -> None:
        super().__init__(parameter.name, max_length=LONGEST, **options)
        self.parameter = parameter
        self.kind = widget(parameter)
        self.default_text = (
            "" if parameter.required else json.dumps(parameter.default, ensure_ascii=False)
        )
        self.choices = choices(parameter)
        self.bounds = bounds(parameter)
        self.is_long = _the_kind(parameter).get("maxLength", 0) >= LONG_TEXT
        """Whether the field has several lines."""

    def read(self, text: str) -> JsonValue:
        """Return the argument; None for an empty field, which stands for the job's default.

        Raises ValueError with the remedy.
        """
        if not text:
            if self.parameter.required:
                raise ValueError("The job needs this; it has no default.")
            return None
        argument = value(self.parameter, text)
        schema = self.parameter.json_schema
        if schema and (found := json_schema.faults(schema, argument)):
            raise ValueError(sentence("; ".join(found)))
        return argument

    @staticmethod
    def words(encoded: str) -> str:
        """Return a choice or default, encoded as JSON, in words: texts unquoted, null as "none"."""
        decoded = json.loads(encoded)
        if decoded is None:
            return "none"
        return decoded if isinstance(decoded, str) and decoded else encoded


class ParametersForm(BaseForm):
    """The fields of a job's parameters, in the signature's order; field names begin with `p.`."""

    def __init__(
        self,
        parameters: Sequence[Parameter],
        formdata: MultiDict[str, str],
    ) -> None:
        made: dict[str, Any] = {one.name: ParameterField(one) for one in single(parameters)}
        super().__init__(made, prefix=PARAMETER)
        self.process(formdata)
        self.validate()

    @property
    def fields(self) -> list[ParameterField]:
        """The fields, one for each parameter."""
        return [cast("ParameterField", field) for field in self]

    @property
    def faults(self) -> dict[str, str]:
        """Error messages by field name: `p.` and the parameter's name."""
        return {field.name: field.errors[0] for field in self if field.errors}

    @property
    def kwargs(self) -> dict[str, JsonValue] | None:
        """The named arguments in the fields; None if any field cannot be read."""
        if self.faults:
            return None
        return {field.short_name: field.data for field in self.fields if field.text.strip()}


def single(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Return the parameters that can be passed by name, and so have a field."""
    return [
        parameter
        for parameter in parameters
        if parameter.kind in ("positional_or_keyword", "keyword_only")
    ]


def fits(parameters: Sequence[Parameter]) -> bool:
    """Whether single fields suffice; a required positional-only parameter needs raw JSON."""
    return not any(
        parameter.kind == "positional_only" and parameter.required for parameter in parameters
    )


def widget(parameter: Parameter) -> Widget:
    """Return the kind of field for a parameter; JSON for a parameter without a plain type."""
    if choices(parameter):
        return "choice"
    kind = _the_kind(parameter).get("type")
    if isinstance(kind, str):
        return _SCHEMA_WIDGETS.get(kind, "json")
    return _SCALARS.get(_plain(parameter.annotation), "json")


def bounds(parameter: Parameter) -> str:
    """Return the bounds of a number, or of a text's length, in words: `1 to 31`, `at least 1`."""
    kind = _the_kind(parameter)
    unit = ""
    least, most = kind.get("minimum"), kind.get("maximum")
    if least is None and most is None:
        least, most, unit = kind.get("minLength"), kind.get("maxLength"), " characters"
    if least is not None and most is not None:
        return f"{least} to {most}{unit}"
    if least is not None:
        return f"at least {least}{unit[:-1] if least == 1 else unit}"
    return "" if most is None else f"at most {most}{unit}"


def _the_kind(parameter: Parameter) -> Mapping[str, Any]:
    """Return the schema of a parameter with one type; empty for no schema or for several types."""
    if parameter.json_schema is None:
        return {}
    found = json_schema.alternatives(parameter.json_schema)
    return found[0] if len(found) == 1 else {}


def choices(parameter: Parameter) -> tuple[str, ...]:
    """Return the values of a `Literal[...]` or an enumeration, each as JSON."""
    listed = _the_kind(parameter).get("enum")
    if isinstance(listed, list):
        return tuple(json.dumps(one, ensure_ascii=False) for one in listed if one is not None)
    match = re.fullmatch(r"(?:typing\.)?Literal\[(.+)\]", _plain(parameter.annotation))
    if not match:
        return ()
    values = re.findall(r"'([^']*)'|\"([^\"]*)\"|(-?\d+)", match[1])
    return tuple(number or json.dumps(one or other) for one, other, number in values)


def join(
    parameters: Sequence[Parameter], given: Mapping[str, str]
) -> tuple[dict[str, JsonValue], dict[str, str]]:
    """Return the named arguments in the fields, and the errors by form field name (`p.` + name)."""
    form = ParametersForm(
        parameters, MultiDict({PARAMETER + name: text for name, text in given.items()})
    )
    readable = {
        field.short_name: field.data
        for field in form.fields
        if field.text.strip() and not field.errors
    }
    return readable, form.faults


def value(parameter: Parameter, text: str) -> JsonValue:
    """Return the value of `text` for a parameter. Raises ValueError with the remedy."""
    kind = widget(parameter)
    if kind == "text" or (kind != "json" and REFERENCE.fullmatch(text)):
        return text
    if kind == "choice":
        if text not in choices(parameter):
            raise ValueError(f"{text} is not one of {', '.join(choices(parameter))}.")
        chosen: JsonValue = json.loads(text)
        return chosen
    if kind == "boolean":
        if text not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false.")
        return text == "true"
    if kind == "integer":
        if not re.fullmatch(r"[+-]?[0-9]{1,30}", text):
            raise ValueError(f"{text!r} is not a whole number.")
        return int(text)
    parsed = json_text.parse(text)
    if kind == "number" and (isinstance(parsed, bool) or not isinstance(parsed, int | float)):
        raise ValueError(f"{text!r} is not a number. Write one such as 5 or 0.5.")
    return parsed


def split(
    parameters: Sequence[Parameter], args: Sequence[JsonValue], kwargs: Mapping[str, JsonValue]
) -> dict[str, str]:
    """Return saved arguments as the texts of single fields: the exact reverse of `join`.

    Raises Unsplittable if raw JSON is needed.
    """
    named = {parameter.name: parameter for parameter in single(parameters)}
    if not fits(parameters) or args or set(kwargs) - set(named):
        raise Unsplittable
    given = {name: _text(named[name], argument) for name, argument in kwargs.items()}
    joined, _ = join(parameters, given)
    if json.dumps(joined, sort_keys=True) != json.dumps(dict(kwargs), sort_keys=True):
        raise Unsplittable
    return given


def _text(parameter: Parameter, argument: JsonValue) -> str:
    if widget(parameter) == "text" and isinstance(argument, str):
        return argument
    return json.dumps(argument, ensure_ascii=False)


def _plain(annotation: str) -> str:
    """Return the annotation without `| None`; an empty field covers None."""
    parts = [
        part.strip()
        for part in re.sub(r"^(?:typing\.)?Optional\[(.+)\]$", r"\1", annotation).split("|")
    ]
    rest = [part for part in parts if part != "None"]
    return rest[0] if len(rest) == 1 else annotation
