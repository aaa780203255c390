"""The tables of schedule fields, made from the field table: one for each part of a schedule."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from scheduler.rules.model.fields import MODELS, TABLE, FieldType, ScheduleField
from tests.docs.markdown import table


def fields(part: str, of: Sequence[ScheduleField] = TABLE) -> str:
    """One line for each field of a part that an operator sets."""
    rows = [row for row in of if row.part == part and row.type is not FieldType.PARTS]
    return table(["field", "option", "value", "default", "meaning"], map(_line, rows))


def tables() -> dict[str, Callable[[], str]]:
    """One table for each part of a schedule, by its name in the documents."""
    return {f"fields-{part or 'schedule'}": partial(fields, part) for part in MODELS}


def _line(row: ScheduleField) -> list[str]:
    option = f"`{row.flag}`" if row.flag else ""
    return [f"`{row.path}`", option, _values(row), _default(row), _meaning(row)]


def _values(row: ScheduleField) -> str:
    """The type with its limits, or the values of a choice."""
    if row.values:
        return ", ".join(f"`{value}`" for value in row.values)
    return f"{row.type}, {row.limits}" if row.limits else str(row.type)


def _default(row: ScheduleField) -> str:
    if row.is_required:
        return "required"
    default: Any = row.default
    if default is None:
        return row.about.empty or "none"
    if isinstance(default, bool):
        return "`true`" if default else "`false`"
    return f"`{default}`" if default != "" else "empty"


def _meaning(row: ScheduleField) -> str:
    """A sentence, and one for each value of a choice that has words."""
    about = row.about
    is_typed_otherwise = row.type in (FieldType.JSON, FieldType.TEXTS)
    words = about.option if is_typed_otherwise else about.hint or about.option or about.label
    text = words if words.endswith(".") else f"{words}."
    values = [f"`{choice.value}`: {choice.words}" for choice in about.choices if choice.words]
    return " ".join([text, *values])
