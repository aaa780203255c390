"""What one version of a schedule says otherwise than another: field by field, as the JSON of the
published form. Pure.

The versions are whole definitions as revisions hold them, of whatever age: fields that did not
exist when one was saved have the value that they had by default.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from scheduler.rules.model.fields import FieldType, fields_of
from scheduler.rules.model.spec import Schedule

NOT_COMPARED = frozenset(
    {"uid", "revision", "origin", "updated_at", "updated_by", "name", "override"}
)
"""What differs between any two versions, or never does."""

OPENED = frozenset(
    {row.name for row in fields_of("") if row.type is FieldType.PARTS} | {"paused", "kwargs"}
)
"""Fields whose parts are compared one by one."""


@dataclass(frozen=True)
class Difference:
    """One field, such as `when.crontab`, before and after; none where it was not there."""

    field: str
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """The fields in which two definitions differ, in the order of the published form."""
    old, new = dict(_parts(before)), dict(_parts(after))
    fields = [*new, *(field for field in old if field not in new)]
    return [
        Difference(field, old.get(field), new.get(field))
        for field in fields
        if old.get(field) != new.get(field)
    ]


def _parts(definition: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields with their values; those that are opened by their parts."""
    for name, value in _whole(definition).items():
        if name in NOT_COMPARED:
            continue
        if name in OPENED and isinstance(value, Mapping):
            yield from ((f"{name}.{part}", inner) for part, inner in value.items())
        elif value != []:
            yield name, value


def _whole(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition with all fields of today; as it is where it is not one that is understood any
    more.
    """
    try:
        return Schedule.model_validate(definition).to_json()
    except ValidationError:
        return definition
