"""An operator's overrides on static entries (entries of `beat_schedule`). Pure.

Code owns the definition of a static entry, and Beat rewrites the definition at every start. An
override is therefore stored in the extra field, and wins wherever the entry is read. Only fields
that differ from the code are overridden; all others follow the code. Owner, tags, description and
notes do not exist in code, and are not part of an override.
"""

from typing import Any

from scheduler.errors import Refused
from scheduler.redbeat import codec, schedule_json
from scheduler.redbeat.codec import StoredSchedule
from scheduler.redbeat.extra_field import SAYABLE
from scheduler.rules.crontab import dialect
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import (
    STOCK,
    CrontabWhen,
    IntervalWhen,
    Override,
    Schedule,
    When,
    Window,
)

FIELDS = (*SAYABLE, "policies", "window")
"""The fields that can be overridden."""


def code_of(entry: StoredSchedule) -> Schedule:
    """Return the schedule with the code's values in all fields that can be overridden."""
    definition = entry.definition
    queue, priority = codec.queue_and_priority(definition.get("options") or {})
    values: dict[str, Any] = {
        "job": definition["task"],
        "when": schedule_json.decode(definition.get("schedule")),
        "args": definition.get("args") or [],
        "kwargs": definition.get("kwargs") or {},
        "queue": queue,
        "priority": priority,
        "policies": STOCK,
        "window": Window(),
        "override": None,
    }
    return entry.schedule.model_copy(update=values)


def put(wanted: Schedule, when: When, entry: StoredSchedule) -> Schedule:
    """Return `wanted`, an edit of the static `entry`, with its override set.

    `when` is the rule as the operator typed the rule, before saving filled in anchor and `H`.
    Raises Refused for switching on an entry that is switched off in code.
    """
    if wanted.enabled and not entry.definition.get("enabled", True):
        raise Refused(
            f"{wanted.name!r} is switched off in code (beat_schedule); switch it on there",
            field="enabled",
        )
    code = code_of(entry)
    fields = [
        name for name in FIELDS if name != "when" and getattr(wanted, name) != getattr(code, name)
    ]
    if not _is_rule_of_code(when, code.when, entry.schedule):
        fields.insert(min(len(fields), 1) if fields[:1] == ["job"] else 0, "when")
    override = Override(fields=fields, code=entry.definition) if fields else None
    return wanted.model_copy(update={"override": override})


def taken_off(entry: StoredSchedule, edit: Edit) -> Schedule:
    """The next revision, without the override: as code has it. Pause, switch and notes stay.
    Raises Refused.
    """
    old = entry.schedule
    if old.origin != "code":
        raise Refused(
            f"{old.name!r} is not defined in code (beat_schedule), so that there is nothing to go "
            f"back to; `beatdesk schedules restore {old.name} REVISION` brings an earlier "
            "revision back",
            field="name",
        )
    if old.override is None:
        raise Refused(f"{old.name!r} has no override: it is as the code says", field="name")
    return code_of(entry).model_copy(
        update={
            "revision": old.revision + 1,
            "skips": [tick for tick in old.skips if tick > edit.now],
            "updated_at": edit.now,
            "updated_by": edit.actor,
        }
    )


def is_outdated(entry: StoredSchedule) -> bool:
    """Whether the code has changed since the override was made."""
    override = entry.schedule.override
    return override is not None and override.code != entry.definition


def _is_rule_of_code(when: When, code: When, old: Schedule) -> bool:
    """Whether the rule `when` is the code's; the anchor of an interval does not count."""
    if isinstance(when, CrontabWhen):
        return dialect.settle(when, old.uid) == code
    if isinstance(when, IntervalWhen) and isinstance(code, IntervalWhen):
        overridden = old.override is not None and "when" in old.override.fields
        old_anchor = None
        if isinstance(old.when, IntervalWhen) and not overridden:
            old_anchor = old.when.anchor
        return when.every == code.every and when.anchor in (None, old_anchor)
    return when == code
