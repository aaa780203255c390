"""The form that is made from a job's parameters: one field each, and the named arguments that were
typed in them.

A field left empty means 'the job's own default', and then the argument is not stored, so that a
later change of the default in code takes effect. What a field cannot say (an empty text, another
type) is said in raw JSON.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from pydantic import JsonValue
from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm

from scheduler.catalogue import json_schema
from scheduler.catalogue.catalogue import Parameter
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
"""Prefix of the form's fields that hold one parameter of the job each."""

LONGEST = 100_000
"""Characters that may be typed for one parameter."""

LONG_TEXT = 1000
"""Characters that a text may have, from which on it is typed in several lines."""


class Unsplittable(ValueError):
    """The saved arguments do not fit single fields; raw JSON shows them."""


class ParameterField(TypedField):
    """One parameter of the job: how it is typed, what stands in it, and what its default is."""

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
        """Whether it may be a text of many lines."""

    def read(self, text: str) -> JsonValue:
        """The argument; None where the job's own default is meant. Raises ValueError."""
        if not text:
            if self.parameter.required:
                raise ValueError("The job needs this; it has no default.")
            return None
        meant = value(self.parameter, text)
        schema = self.parameter.json_schema
        if schema and (found := json_schema.faults(schema, meant)):
            raise ValueError(sentence("; ".join(found)))
        return meant

    @staticmethod
    def words(encoded: str) -> str:
        """A choice or a default, given as JSON, as people read it: texts without quotes, and "none"
        for null.
        """
        meant = json.loads(encoded)
        if meant is None:
            return "none"
        return meant if isinstance(meant, str) and meant else encoded


class ParametersForm(BaseForm):
    """The fields of a job's parameters, in the order of the signature; their names begin with
    `p.`.
    """

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
        """One for each parameter."""
        return [cast("ParameterField", field) for field in self]

    @property
    def faults(self) -> dict[str, str]:
        """What is wrong, by the field's name: `p.` and the parameter's."""
        return {field.name: field.errors[0] for field in self if field.errors}

    @property
    def kwargs(self) -> dict[str, JsonValue] | None:
        """The named arguments that the fields hold; None where one of them cannot be read."""
        if self.faults:
            return None
        return {field.short_name: field.data for field in self.fields if field.text.strip()}


def single(parameters: Sequence[Parameter]) -> list[Parameter]:
    """The parameters that can be given by name, one field each."""
    return [
        parameter
        for parameter in parameters
        if parameter.kind in ("positional_or_keyword", "keyword_only")
    ]


def fits(parameters: Sequence[Parameter]) -> bool:
    """Whether single fields can say every call that the job needs; one by place only needs raw
    JSON.
    """
    return not any(
        parameter.kind == "positional_only" and parameter.required for parameter in parameters
    )


def widget(parameter: Parameter) -> Widget:
    """How a parameter is typed. What has no plain type is typed as JSON."""
    if choices(parameter):
        return "choice"
    kind = _the_kind(parameter).get("type")
    if isinstance(kind, str):
        return _SCHEMA_WIDGETS.get(kind, "json")
    return _SCALARS.get(_plain(parameter.annotation), "json")


def bounds(parameter: Parameter) -> str:
    """What a number, or the length of a text, may be, in words: `1 to 31`, `at least 1`."""
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
    """The schema of a parameter that takes one kind of value, beside nothing; empty where it has
    none, or several.
    """
    if parameter.json_schema is None:
        return {}
    found = json_schema.alternatives(parameter.json_schema)
    return found[0] if len(found) == 1 else {}


def choices(parameter: Parameter) -> tuple[str, ...]:
    """The values of a `Literal[...]` or of an enumeration, each as JSON."""
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
    """The named arguments in the fields, and the faults by form field (`p.` and the parameter's
    name).
    """
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
    """What `text` means for a parameter. Raises ValueError with the remedy."""
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
    """Saved arguments as the text of single fields, exactly `join`'s reverse. Raises
    Unsplittable.
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
    """The annotation without `| None`, which an empty field says."""
    parts = [
        part.strip()
        for part in re.sub(r"^(?:typing\.)?Optional\[(.+)\]$", r"\1", annotation).split("|")
    ]
    rest = [part for part in parts if part != "None"]
    return rest[0] if len(rest) == 1 else annotation
