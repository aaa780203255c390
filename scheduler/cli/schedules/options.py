"""Rows of the field table -> options of `schedules add | edit | preview`, and their values. Pure.

An absent option is None, so `edit` changes the named fields only. `none` removes an optional value.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

import click

from scheduler.cli import fields
from scheduler.rules.model.fields import RULES, FieldType, ScheduleField
from scheduler.rules.time.typed import Zone

Command = Callable[..., Any]

METAVARS = {
    FieldType.TEXT: "TEXT",
    FieldType.WHOLE_NUMBER: "N",
    FieldType.LENGTH_OF_TIME: "TIME",
    FieldType.MOMENT: "TIME",
    FieldType.JSON: "JSON",
}


class Clock(NamedTuple):
    """The current moment, and the zone for times of day: the schedule's zone."""

    now: datetime
    zone: Zone


def with_options(command: Command, rows: Iterable[ScheduleField]) -> Command:
    """Add one option for each row with an option to a command, in the order of the rows."""
    for row in reversed(list(rows)):
        if row.flag:
            command = option_of(row)(command)
    return command


def option_of(row: ScheduleField) -> Callable[[Command], Command]:
    """Return the decorator for the option of one field."""
    if row.type is FieldType.CHOICE:
        return click.option(
            row.flag, row.parameter, type=click.Choice(row.values), help=row.about.option
        )
    return click.option(
        row.flag,
        row.parameter,
        type=_click_type(row),
        multiple=row.type is FieldType.TEXTS,
        metavar=metavar_of(row),
        help=row.about.option,
    )


def metavar_of(row: ScheduleField) -> str:
    """Return the placeholder for the value in the help, such as `TIME|none`."""
    metavar = row.about.metavar or METAVARS[row.type]
    has_word = row.is_optional and row.about.unset and row.part not in RULES
    return f"{metavar}|{row.about.unset}" if has_word else metavar


def value_of(row: ScheduleField, given: Any, clock: Clock | None = None) -> Any:
    """Return the value of an option's text. Without `clock` only whole dates are read.

    Raises Refused or BadArguments with the field, the value and the remedy.
    """
    if row.is_optional and given == row.about.unset:
        return None
    if row.type is FieldType.MOMENT and isinstance(given, str):
        return _moment(given, row, clock)
    reader = _READERS.get(row.type)
    return given if reader is None or not isinstance(given, str | tuple) else reader(given, row)


def values_of(
    rows: Iterable[ScheduleField], given: dict[str, Any], clock: Clock | None = None
) -> dict[str, Any]:
    """Return the values of the given options, by field. `clock` as in `value_of`."""
    named = {row.name: (row, given.get(row.parameter)) for row in rows}
    return {
        name: value_of(row, text, clock)
        for name, (row, text) in named.items()
        if text not in (None, ())
    }


def _click_type(row: ScheduleField) -> type | None:
    """Return the type for click: a plain number without `none`; None for every other type."""
    if row.type is FieldType.WHOLE_NUMBER and not row.is_optional:
        return int
    if row.type is FieldType.LENGTH_OF_TIME and row.is_required:
        return float
    return None


def _moment(text: str, row: ScheduleField, clock: Clock | None) -> datetime:
    if clock is None:
        return fields.instant(text, row.name)
    return fields.moment_ahead(text, row.name, now=clock.now, zone=clock.zone)


def _json(text: str, row: ScheduleField) -> Any:
    return (
        fields.json_list(text, row.name)
        if isinstance(row.default, list)
        else fields.json_object(text, row.name)
    )


_READERS: dict[FieldType, Callable[[Any, ScheduleField], Any]] = {
    FieldType.WHOLE_NUMBER: lambda text, row: fields.whole(text, row.name, row.least, row.most),
    FieldType.LENGTH_OF_TIME: lambda text, row: fields.seconds(text, row.name),
    FieldType.TEXTS: lambda texts, row: [text for text in texts if text],
    FieldType.JSON: _json,
}
