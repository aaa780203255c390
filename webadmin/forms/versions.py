"""The fields in which two versions of a schedule differ, as texts side by side."""

import json
from dataclasses import dataclass

from scheduler.rules.model.fields import fields_of
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    OnceWhen,
    Policies,
    RruleWhen,
    Spec,
    Window,
)
from webadmin.forms import times

LABELS = {row.name: row.about.label for row in fields_of("") if row.name != "name"}

USUAL = "as usual"


@dataclass(frozen=True)
class Difference:
    """A field with different values in two versions."""

    label: str
    ours: str
    theirs: str


def limits(spec: Spec) -> list[tuple[str, str]]:
    """Return the policies and limits that differ from the defaults, as labels and words."""
    return [
        (LABELS[name], text)
        for name in ("policies", "window")
        if (text := shown(getattr(spec, name))) != USUAL
    ]


def differences(ours: Spec, theirs: Spec) -> list[Difference]:
    """Return the differing fields of two versions, in the editor's order.

    The anchor of an interval is not compared.
    """
    pairs = [
        (label, shown(getattr(ours, name)), shown(getattr(theirs, name)))
        for name, label in LABELS.items()
    ]
    return [
        Difference(label, ours_, theirs_) for label, ours_, theirs_ in pairs if ours_ != theirs_
    ]


def shown(value: object) -> str:
    """Return a field's value as text; a dash for an empty value."""
    if isinstance(value, CrontabWhen | IntervalWhen | OnceWhen | RruleWhen):
        return _rule(value)
    if isinstance(value, Policies | Window):
        own = value.model_dump(mode="json", exclude_defaults=True)
        return (
            ", ".join(f"{name.replace('_', ' ')} {_value(text)}" for name, text in own.items())
            or USUAL
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value in (None, "", []):
        return "—"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _rule(value: CrontabWhen | IntervalWhen | OnceWhen | RruleWhen) -> str:
    """Return the rule as text, in the notation of its kind."""
    if isinstance(value, CrontabWhen):
        either = ", either day field" if value.day_match == "or" else ""
        return f"{value.crontab} ({value.timezone}{either})"
    if isinstance(value, IntervalWhen):
        return f"every {value.every:.15g} seconds"
    if isinstance(value, OnceWhen):
        return f"once, {value.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{value.rrule} from {value.dtstart.isoformat()} ({value.timezone})"


def _value(value: object) -> str:
    """Return a policy's value in words: lengths of time with their unit, underscores as spaces."""
    if isinstance(value, float):
        return times.shown_seconds(value)
    return "none" if value is None else str(value).replace("_", " ")
