"""Two versions of a schedule side by side: the fields in which they differ, as text."""

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
    """One field that is not the same in both."""

    label: str
    ours: str
    theirs: str


def limits(spec: Spec) -> list[tuple[str, str]]:
    """The policies and limits of a schedule that are not as usual, in words."""
    return [
        (LABELS[name], text)
        for name in ("policies", "window")
        if (text := shown(getattr(spec, name))) != USUAL
    ]


def differences(ours: Spec, theirs: Spec) -> list[Difference]:
    """The fields in which two versions differ, in the editor's order. Where an interval is anchored
    is not one.
    """
    pairs = [
        (label, shown(getattr(ours, name)), shown(getattr(theirs, name)))
        for name, label in LABELS.items()
    ]
    return [
        Difference(label, ours_, theirs_) for label, ours_, theirs_ in pairs if ours_ != theirs_
    ]


def shown(value: object) -> str:
    """A field's value as text; nothing is a dash."""
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
    """When, as it was written."""
    if isinstance(value, CrontabWhen):
        either = ", either day field" if value.day_match == "or" else ""
        return f"{value.crontab} ({value.timezone}{either})"
    if isinstance(value, IntervalWhen):
        return f"every {value.every:.15g} seconds"
    if isinstance(value, OnceWhen):
        return f"once, {value.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{value.rrule} from {value.dtstart.isoformat()} ({value.timezone})"


def _value(value: object) -> str:
    """A policy's value in words: a length of time as it is typed, a choice without its
    underscore.
    """
    if isinstance(value, float):
        return times.shown_seconds(value)
    return "none" if value is None else str(value).replace("_", " ")
