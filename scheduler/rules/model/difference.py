"""The difference of two versions of a schedule, field by field, as published JSON. Pure.

A version is a whole definition, as stored in a revision. Fields missing from an old revision have
their default values.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from scheduler.rules.model.fields import FieldType, fields_of
from scheduler.rules.model.spec import Schedule

NOT_COMPARED = frozenset(
    {"uid", "revision", "origin", "updated_at", "updated_by", "name", "override", "approval"}
)
"""What differs between any two versions, or never does."""

OPENED = frozenset(
    {row.name for row in fields_of("") if row.type is FieldType.PARTS} | {"paused", "kwargs"}
)
"""Fields compared part by part."""


@dataclass(frozen=True)
class Difference:
    """A field such as `when.crontab`, with its old and new value; None for a missing field."""

    field: str
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the fields in which two definitions differ, in the order of the published form."""
    old = dict(_parts(before))
    new = dict(_parts(after))
    fields = [*new, *(field for field in old if field not in new)]
    return [
        Difference(field, old.get(field), new.get(field))
        for field in fields
        if old.get(field) != new.get(field)
    ]


def _parts(definition: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The compared fields with their values; fields in `OPENED` part by part."""
    for name, value in _whole(definition).items():
        if name in NOT_COMPARED:
            continue
        if name in OPENED and isinstance(value, Mapping):
            yield from ((f"{name}.{part}", inner) for part, inner in value.items())
        elif value != []:
            yield name, value


def _whole(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition with all current fields; unchanged where today's model refuses the version."""
    try:
        return Schedule.model_validate(definition).to_json()
    except ValidationError:
        return definition
