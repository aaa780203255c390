"""The table of schedule fields: one row for each field set by operators. Pure.

A row is derived from the field's declaration in `rules.model.spec`: the name, the type, the limits
and the default from the model, the words from `About`. The editor's form, the options of
`schedules add | edit | preview`, the reader of YAML sets, the pages, the comparison of two versions
and the reference in the documents read this table, so a new plain field is declared once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from scheduler.rules.model.about import SECONDS, About, Choice
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    Policies,
    RruleWhen,
    Spec,
    Window,
)


class FieldType(StrEnum):
    """The way a value is written and read."""

    TEXT = "text"
    SWITCH = "switch"
    WHOLE_NUMBER = "whole number"
    LENGTH_OF_TIME = "length of time"
    MOMENT = "moment"
    CHOICE = "choice"
    TEXTS = "list of texts"
    JSON = "JSON"
    PARTS = "fields of its own"


@dataclass(frozen=True)
class ScheduleField:
    """One row of the table.

    `part` is the field's place in a schedule: `policies`, `window`, the kind of a rule such as
    `crontab`, or empty for the schedule itself. `least` and `most` are the limits of a number,
    `most` included; `least` is included unless `is_above` is set.
    """

    name: str
    part: str
    type: FieldType
    about: About
    default: Any = None
    is_required: bool = False
    is_optional: bool = False
    """Whether None is a valid value."""

    least: float | None = None
    most: float | None = None
    is_above: bool = False

    @property
    def path(self) -> str:
        """Return the path in the published form, such as `policies.jitter` or `when.crontab`."""
        if not self.part:
            return self.name
        return f"{_parent(self.part)}.{self.name}"

    @property
    def flag(self) -> str:
        """Return the command's option, such as `--queue-limit`, or an empty text."""
        if not self.about.option:
            return ""
        return self.about.flag or "--" + self.name.replace("_", "-")

    @property
    def parameter(self) -> str:
        """Return the name of the command's parameter with the option's value."""
        if self.type is FieldType.TEXTS or not self.flag:
            return self.name
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def values(self) -> tuple[str, ...]:
        """Return the values of a choice."""
        return tuple(choice.value for choice in self.about.choices)

    @property
    def limits(self) -> str:
        """Return the limits of a number in words: `1 to 100`, `more than 0`, or nothing."""
        unit = f" {self.about.unit}" if self.about.unit else ""
        least = "" if self.least is None else f"{self.least:g}"
        most = "" if self.most is None else f"{self.most:g}"
        if least and most:
            return f"{least} to {most}{unit}"
        if least:
            return f"{'more than' if self.is_above else 'at least'} {least}{unit}"
        return f"at most {most}{unit}" if most else ""


RULES: dict[str, type[BaseModel]] = {
    "crontab": CrontabWhen,
    "interval": IntervalWhen,
    "once": OnceWhen,
    "rrule": RruleWhen,
}
"""The kinds of rule open to operators, and their models."""

MODELS: dict[str, type[BaseModel]] = {"": Spec, **RULES, "policies": Policies, "window": Window}
"""The parts of a schedule, and the model of each."""


def rows_of(model: type[BaseModel], part: str) -> list[ScheduleField]:
    """Return the rows of one part, in the model's order; fields without `About` are left out."""
    rows = [_row(name, part, declared) for name, declared in model.model_fields.items()]
    return [row for row in rows if row is not None]


def fields_of(*parts: str) -> list[ScheduleField]:
    """Return the rows of these parts, in order."""
    return [row for row in TABLE if row.part in parts]


def field_of(part: str, name: str) -> ScheduleField:
    """Return one row. Raises KeyError."""
    return _BY_PLACE[part, name]


def rule_fields() -> list[ScheduleField]:
    """Return the rows of all kinds of rule; a row shared by kinds, such as the time zone, once."""
    return list({row.name: row for row in reversed(fields_of(*RULES))}.values())[::-1]


def place_of(name: str) -> str:
    """Return the path of the field `name`, for refusals; empty for an unknown field."""
    part = next(
        (part for part, model in MODELS.items() if name in model.model_fields and name != "kind"),
        None,
    )
    if not part:
        return "" if part is None else name
    return f"{_parent(part)}.{name}"


def _parent(part: str) -> str:
    """Return the field of a schedule that holds a part."""
    return "when" if part in RULES else part


def _row(name: str, part: str, declared: FieldInfo) -> ScheduleField | None:
    about = next((item for item in declared.metadata if isinstance(item, About)), None)
    if about is None:
        return None
    annotations = _alternatives(declared.annotation)
    inner, marks = _plain(next(one for one in annotations if one is not NoneType))
    limits = [*declared.metadata, *marks]
    above = _limit(limits, "gt")
    return ScheduleField(
        name=name,
        part=part,
        type=_type_of(inner, about),
        about=_with_choices(about, inner),
        default=None if declared.is_required() else declared.get_default(call_default_factory=True),
        is_required=declared.is_required(),
        is_optional=NoneType in annotations,
        least=_limit(limits, "ge") if above is None else above,
        most=_limit(limits, "le"),
        is_above=above is not None,
    )


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union; any other type alone."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _plain(annotation: Any) -> tuple[Any, list[Any]]:
    """Return a type without annotations, and pydantic's marks from the annotations."""
    if get_origin(annotation) is not Annotated:
        return annotation, []
    inner, *marks = get_args(annotation)
    return inner, [
        one for mark in marks for one in (mark.metadata if isinstance(mark, FieldInfo) else [mark])
    ]


def _limit(marks: Sequence[Any], name: str) -> float | None:
    return next(
        (getattr(mark, name) for mark in marks if getattr(mark, name, None) is not None), None
    )


def _type_of(annotation: Any, about: About) -> FieldType:
    """Return the way values of this type are written and read."""
    if get_origin(annotation) is Literal:
        return FieldType.CHOICE
    if annotation is float and about.unit == SECONDS:
        return FieldType.LENGTH_OF_TIME
    if annotation in _PLAIN_TYPES:
        return _PLAIN_TYPES[annotation]
    if annotation == list[str]:
        return FieldType.TEXTS
    if get_origin(annotation) in (list, dict):
        return FieldType.JSON
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return FieldType.PARTS
    raise TypeError(
        f"no reader knows fields of the type {annotation!r}; use one of {', '.join(FieldType)}"
    )


_PLAIN_TYPES: dict[Any, FieldType] = {
    str: FieldType.TEXT,
    bool: FieldType.SWITCH,
    int: FieldType.WHOLE_NUMBER,
    AwareDatetime: FieldType.MOMENT,
}


def _with_choices(about: About, annotation: Any) -> About:
    """Return `about` with words for each value of a `Literal`; the value's name by default."""
    if get_origin(annotation) is not Literal:
        return about
    words = {choice.value: choice for choice in about.choices}
    if not set(words) <= set(get_args(annotation)):
        raise TypeError(
            f"{about.label!r} has words for values that it cannot have: {sorted(words)}"
        )
    choices = [
        words.get(one) or Choice(one, one.replace("_", " ").capitalize())
        for one in get_args(annotation)
    ]
    return replace(about, choices=tuple(choices))


TABLE: Sequence[ScheduleField] = [
    row for part, model in MODELS.items() for row in rows_of(model, part)
]
_BY_PLACE = {(row.part, row.name): row for row in TABLE}
