"""The codec between Schedules and RedBeat's hash fields `definition` and `meta`. Pure.

RedBeat's format (celery-redbeat 2.4: `redbeat.schedulers`, `redbeat.decoder`) appears here, in
`schedule_json` and in `rrules` only. The encoder writes exactly RedBeat's bytes. An entry beyond
Beat's reading is refused with the reason (UnreadableEntry), for the console to show and for Beat to
quarantine; every other entry is read, whoever wrote it. Decoding and encoding gives equal bytes:
values missing from a Schedule (further options, numbers in place of texts) are copied from the
replaced definition.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from scheduler.errors import BeatdeskError, UnreadableEntry
from scheduler.redbeat import extra_field as extras
from scheduler.redbeat import schedule_json
from scheduler.redbeat.memory import KEYS, Meta, decode_meta, encode_meta, json_object
from scheduler.redbeat.rrules import TYPE
from scheduler.rules.crontab import dialect
from scheduler.rules.model.identity import plain_uid
from scheduler.rules.model.spec import (
    STOCK,
    CrontabWhen,
    IntervalWhen,
    Origin,
    Override,
    RruleWhen,
    Schedule,
    When,
    Window,
    assembled,
)
from scheduler.rules.rrule import text as recurrence_text
from scheduler.rules.time import zones

__all__ = [
    "Meta",
    "Raw",
    "StoredSchedule",
    "anchored",
    "check_readable",
    "decode",
    "decode_meta",
    "encode_definition",
    "encode_meta",
    "has_types",
    "options_of",
    "queue_and_priority",
]

_KINDS: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("task", (str,), "a task name"),
    ("args", (list, type(None)), "a list"),
    ("kwargs", (dict, type(None)), "an object"),
    ("options", (dict, type(None)), "an object"),
)
_VALUES = frozenset(extras.SAYABLE) - {"when"}
_WHEN: TypeAdapter[When] = TypeAdapter(When)


LARGEST = 1024 * 1024
"""Most characters of a field of an entry: twice 64 kB of arguments, each byte as six, fit."""


class Raw(NamedTuple):
    """The three fields of an entry's hash, as text; None for a missing field."""

    definition: str | None
    meta: str | None
    extra: str | None


@dataclass(frozen=True)
class StoredSchedule:
    """A schedule as decoded from Redis, with Beat's memory and the raw definition."""

    schedule: Schedule
    meta: Meta
    diverged: bool = False
    """Plain RedBeat code has rewritten the definition since the last edit in Beatdesk; the rewrite
    counts as a revision.
    """

    definition: dict[str, Any] = field(default_factory=dict, repr=False)


def decode(name: str, raw: Raw, *, static: bool = False) -> StoredSchedule:
    """Return the schedule of the entry called `name`; `static` is an entry of `beat_schedule`.

    Raises UnreadableEntry with the reason why Beat could not load the entry.
    """
    check_size(raw)
    definition = json_object(raw.definition, "definition")
    foreign = schedule_json.is_foreign(definition.get("schedule"))
    _check_loadable(name, definition, raw, foreign=foreign)
    extra = extras.decode(raw.extra) if raw.extra else None
    when = schedule_json.decode(definition.get("schedule"), foreign=foreign)
    try:
        if extra is not None:
            when = extras.apply_to(when, extra, definition.get("schedule"))
            when = _overridden_when(when, extra) if static else when
        check_readable(when)
    except BeatdeskError as error:
        raise UnreadableEntry(str(error)) from None
    diverged = extra is not None and extra.digest != extras.digest(raw.definition or "")
    try:
        schedule = _schedule(name, definition, when, extra, static=static, diverged=diverged)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UnreadableEntry(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    return StoredSchedule(
        schedule=schedule, meta=decode_meta(raw.meta), diverged=diverged, definition=definition
    )


def check_size(raw: Raw) -> None:
    """Raise UnreadableEntry for a field that is larger than any schedule makes one."""
    for name, text in zip(("definition", "meta", "beatdesk"), raw, strict=True):
        if text is not None and len(text) > LARGEST:
            raise UnreadableEntry(
                f"the field {name!r} has {len(text)} characters, and at most {LARGEST} are read; "
                "hand large data over by its place, and not as an argument"
            )


def encode_definition(schedule: Schedule, replaced: Mapping[str, Any] | None = None) -> str:
    """Return the JSON text of the definition of `schedule`.

    `replaced` is the stored definition: values of equal meaning are copied from there, so an edit
    of another field does not change their bytes.
    """
    old = replaced or {}
    keeps_args = "args" in old and (old["args"] or []) == schedule.args
    return json.dumps(
        {
            "name": schedule.name,
            "task": schedule.job,
            "args": old["args"] if keeps_args else schedule.args,
            "kwargs": schedule.kwargs,
            "options": options_of(schedule, old),
            "schedule": schedule_json.encode(
                schedule.when, old.get("schedule"), since=schedule.updated_at
            ),
            "enabled": True if schedule.origin == "code" else schedule.enabled,
        }
    )


def anchored(when: When, meta: Meta) -> When:
    """Return `when`; an interval of plain RedBeat code gets its last run as the anchor."""
    if isinstance(when, IntervalWhen) and when.anchor is None and meta.last_run_at is not None:
        return when.model_copy(update={"anchor": meta.last_run_at})
    return when


def _check_loadable(name: str, definition: dict[str, Any], raw: Raw, *, foreign: bool) -> None:
    """Refuse a definition beyond RedBeat's reading, or one under which RedBeat fires
    another entry.
    """
    if definition.get("name") != name:
        raise UnreadableEntry(
            f"the entry {name!r} calls itself {definition.get('name')!r}; Beat would advance the "
            "other"
        )
    if not definition.keys() <= KEYS:
        unknown = min(definition.keys() - KEYS)
        raise UnreadableEntry(
            f"the definition has the unknown key {unknown!r}; Beat cannot load it"
        )
    for key, kinds, expected in _KINDS:
        if not isinstance(definition.get(key), kinds):
            raise UnreadableEntry(f"{key} is {definition.get(key)!r:.80}, not {expected}")
    if not definition["task"]:
        raise UnreadableEntry("the definition names no task")
    if foreign or TYPE in definition or has_types(definition, raw.definition or ""):
        _load_as_redbeat(raw.definition or "", definition.get("schedule"))


def has_types(definition: Mapping[str, Any], text: str) -> bool:
    """Whether the definition has an object of RedBeat's types (`__type__`) beside the schedule.

    `text` is the JSON of the definition: without a second `__type__`, no search is needed.
    """
    schedule = definition.get("schedule")
    if text.count(TYPE) <= (isinstance(schedule, dict) and TYPE in schedule) and "\\u" not in text:
        return False
    waiting = [definition[key] for key in definition if key != "schedule"]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if TYPE in item:
                return True
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return False


def _load_as_redbeat(text: str, stored: Any) -> None:
    """Let RedBeat's own decoder judge a definition with types unknown to this codec.

    `stored` is the schedule in the definition.
    """
    from redbeat.decoder import RedBeatJSONDecoder

    from scheduler.redbeat import bounded_rrule

    bounded_rrule.check_size(stored)
    try:
        loaded = json.loads(text, cls=RedBeatJSONDecoder)
    except Exception as error:  # noqa: BLE001 - the same exception would end stock Beat
        raise UnreadableEntry(
            f"RedBeat cannot load the definition: {type(error).__name__}: {error}"
        ) from None
    schedule = loaded.get("schedule") if isinstance(loaded, dict) else None
    if not hasattr(schedule, "is_due") and not isinstance(schedule, int | float):
        raise UnreadableEntry(
            f"the definition's schedule is {schedule!r:.80}, which is not a schedule"
        )
    every = getattr(schedule, "run_every", None)
    if every is not None and not isinstance(every, timedelta):
        raise UnreadableEntry(f"every is {every!r:.80}, not a number of seconds")


def check_readable(when: When) -> None:
    """Raise a BeatdeskError for a rule whose ticks cannot be computed."""
    if isinstance(when, CrontabWhen):
        dialect.parse(dialect.effective(when), when.day_match)
        zones.zone(when.timezone)
    elif isinstance(when, RruleWhen):
        recurrence_text.parse(when)
    elif isinstance(when, IntervalWhen) and not 0 < when.every < timedelta.max.total_seconds():
        raise UnreadableEntry(
            f"an interval of {when.every:g} seconds cannot be kept; 1 second is the least"
        )


def _schedule(
    name: str,
    definition: dict[str, Any],
    when: When,
    extra: extras.Extra | None,
    *,
    static: bool,
    diverged: bool,
) -> Schedule:
    """The schedule of a definition, the extra field and, for static entries, the override."""
    queue, priority = queue_and_priority(definition.get("options") or {})
    override = extra.override if extra is not None and static else None
    is_switched_off = static and extra is not None and extra.held
    values = {
        "name": name,
        "job": definition["task"],
        "enabled": bool(definition.get("enabled", True)) and not is_switched_off,
        "when": when,
        "args": definition.get("args") or [],
        "kwargs": definition.get("kwargs") or {},
        "queue": queue,
        "priority": priority,
        "policies": extra.policies if extra else STOCK,
        "window": extra.window if extra else Window(),
        "owner": extra.owner if extra else "",
        "tags": extra.tags if extra else [],
        "description": extra.description if extra else "",
        "notes": extra.notes if extra else "",
        "uid": extra.uid if extra else plain_uid(name),
        "revision": extra.revision + diverged if extra else 0,
        "paused": extra.paused if extra else None,
        "skips": extra.skips if extra else [],
        "origin": _origin(extra, static=static),
        "override": None,
        "updated_at": extra.updated_at if extra else None,
        "updated_by": extra.updated_by if extra else None,
        "approval": extra.approval if extra else None,
    }
    if override is None:
        return assembled(values)
    overridden = {key: override.values[key] for key in override.values if key in _VALUES}
    return Schedule(
        **values | overridden | {"override": Override(fields=override.fields, code=override.code)}
    )


def _origin(extra: extras.Extra | None, *, static: bool) -> Origin:
    """The origin of an entry; an entry gone from `beat_schedule` counts as plain RedBeat's."""
    if static:
        return "code"
    if extra is None or extra.origin == "code":
        return "redbeat"
    return extra.origin


def _overridden_when(when: When, extra: extras.Extra) -> When:
    """The rule of the operator's override; `when`, the code's, without an override of the rule."""
    override = None if extra.override is None else extra.override.values.get("when")
    if override is None:
        return when
    try:
        return _WHEN.validate_python(override)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UnreadableEntry(f"the override's when cannot be read: {first['msg']}") from None


def queue_and_priority(options: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """Return the options queue and priority; None for values impossible in a Schedule."""
    queue = options.get("queue")
    priority = options.get("priority")
    is_valid = isinstance(priority, int) and not isinstance(priority, bool) and 0 <= priority <= 9
    return queue if isinstance(queue, str) else None, priority if is_valid else None


def options_of(schedule: Schedule, old: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the definition `old` with the queue and the priority of `schedule`."""
    options = dict(old.get("options") or {})
    old_values = dict(zip(("queue", "priority"), queue_and_priority(options), strict=True))
    for key, value in (("queue", schedule.queue), ("priority", schedule.priority)):
        if value is not None:
            options[key] = value
        elif old_values[key] is not None:  # a value that a Schedule cannot have stays
            del options[key]
    return options
