"""Options of `add` and `edit` -> policies and window of a schedule."""

from typing import Any

from scheduler.cli.schedules import options
from scheduler.cli.schedules.options import Clock
from scheduler.rules.model.fields import fields_of
from scheduler.rules.model.spec import Policies, Window

ROWS = fields_of("policies", "window")
NAMES = tuple(row.name for row in ROWS)


def named(
    given: dict[str, Any], policies: Policies, window: Window, clock: Clock | None = None
) -> dict[str, Any]:
    """Return `policies` and `window` for a Spec, each only where an option changes a value.

    Without `clock` only whole dates are read.
    """
    changed: dict[str, Any] = {}
    for part, old in (("policies", policies), ("window", window)):
        update = options.values_of(fields_of(part), given, clock)
        if update:
            changed[part] = {**dict(old), **update}
    return changed
