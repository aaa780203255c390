"""What an operator says in place of code: overrides on static entries (`beat_schedule`). Pure.

Code owns the definition and writes it anew whenever Beat starts, so that an override never stands
in it: it stands in our field, and wins wherever the entry is read. Only the fields that differ from
the code's are the operator's; the others follow the code. Owner, tags, description and notes, which
code cannot say, are no part of an override.
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
"""What an override may say."""


def code_of(entry: StoredSchedule) -> Schedule:
    """The schedule as code alone would have it."""
    definition = entry.definition
    queue, priority = codec.queue_and_priority(definition.get("options") or {})
    said: dict[str, Any] = {
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
    return entry.schedule.model_copy(update=said)


def put(wanted: Schedule, when: When, entry: StoredSchedule) -> Schedule:
    """`wanted`, an edit of the static `entry`, with what of it is an override. `when` is the rule
    as it was asked for.

    Raises Refused.
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
    """Whether the code has changed since the override was put."""
    override = entry.schedule.override
    return override is not None and override.code != entry.definition


def _is_rule_of_code(when: When, code: When, old: Schedule) -> bool:
    """Whether `when` is what the code says; where its interval is anchored is no difference."""
    if isinstance(when, CrontabWhen):
        return dialect.settle(when, old.uid) == code
    if isinstance(when, IntervalWhen) and isinstance(code, IntervalWhen):
        overridden = old.override is not None and "when" in old.override.fields
        known = None if overridden or not isinstance(old.when, IntervalWhen) else old.when.anchor
        return when.every == code.every and when.anchor in (None, known)
    return when == code
