"""A saved schedule as the texts of the editor's fields."""

import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from scheduler.rules.model.fields import RULES, FieldType, ScheduleField, fields_of
from scheduler.rules.model.spec import IntervalWhen, OnceWhen, Spec
from webadmin.forms import times
from webadmin.forms.fields import UNITS
from webadmin.forms.zone import zone_of

EXAMPLES = {"crontab": "0 6 * * *", "every": "5", "rrule": "FREQ=MONTHLY;BYDAY=-1FR"}
"""Example texts in the fields of the kinds of rule that are not in use."""


def texts_of(spec: Spec) -> dict[str, str]:
    """Return the text of each form field by name: arguments as JSON, default policies empty."""
    zone = zone_of(spec.when)
    texts: dict[str, str] = dict(EXAMPLES)
    for part, model in (("", spec), ("policies", spec.policies), ("window", spec.window)):
        texts |= _texts(part, model, zone)
    texts |= {"arguments": "json", "kind": "", "timezone": zone}
    when = spec.when
    if when.kind not in RULES:
        return texts  # a custom RedBeat rule: the editor can replace, but not write, such a rule
    texts |= {
        "kind": when.kind,
        **_texts(when.kind, when, "UTC" if isinstance(when, OnceWhen) else zone),
    }
    if isinstance(when, IntervalWhen):
        texts["every"], texts["unit"] = split_seconds(when.every)
        texts["anchor"] = when.anchor.isoformat() if when.anchor else ""
    return texts


def split_seconds(seconds: float) -> tuple[str, str]:
    """Return a length of time as a whole number and its largest unit: 300 is 5 minutes."""
    for unit in ("days", "hours", "minutes"):
        if seconds and seconds % UNITS[unit] == 0:
            return str(int(seconds // UNITS[unit])), unit
    return f"{seconds:.15g}", "seconds"


def pretty(value: object) -> str:
    """Return JSON for editing: a short value in one line, a long value indented."""
    flat = json.dumps(value, ensure_ascii=False)
    return flat if len(flat) <= 60 else json.dumps(value, ensure_ascii=False, indent=2)


def _texts(part: str, model: BaseModel, zone: str) -> dict[str, str]:
    rows = [row for row in fields_of(part) if row.type is not FieldType.PARTS]
    texts = {row.name: _text(row, getattr(model, row.name), zone) for row in rows}
    off = {
        row.name for row in rows if row.type is FieldType.SWITCH and not getattr(model, row.name)
    }
    return {
        name: text for name, text in texts.items() if name not in off
    }  # browsers leave out an unticked box


def _text(row: ScheduleField, value: Any, zone: str) -> str:
    """Return the text of one field."""
    if row.type in (FieldType.CHOICE, FieldType.SWITCH):
        return "on" if value is True else str(value)
    if row.type is FieldType.JSON:
        return pretty(value)
    if value is None or (row.part in ("policies", "window") and value == row.default):
        return ""
    if row.type is FieldType.LENGTH_OF_TIME:
        return times.shown_seconds(value)
    if isinstance(value, datetime):
        return times.shown_moment(value, zone)
    return ", ".join(value) if row.type is FieldType.TEXTS else str(value)
