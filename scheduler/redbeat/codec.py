"""Schedules <-> RedBeat's `definition` and `meta`, byte for byte as RedBeat's encoder writes them.
Pure.

The only module, with `whens` and `rrules`, that knows RedBeat's format. What Beat itself could not
load is refused with the reason (UnreadableEntry), so that a reader can show it and Beat can be kept
from it; everything else is read, whoever wrote it. Encoding again what was read gives the same
bytes: what a Schedule cannot say (further options, numbers in place of texts) is carried over from
the definition that is replaced.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from scheduler.errors import BeatdeskError, UnreadableEntry
from scheduler.redbeat import extra_field as extras
from scheduler.redbeat import schedule_json
from scheduler.redbeat.rrules import TYPE
from scheduler.rules.crontab import dialect
from scheduler.rules.model.identity import plain_uid
from scheduler.rules.model.spec import (
    STOCK,
    CrontabWhen,
    IntervalWhen,
    Override,
    RruleWhen,
    Schedule,
    When,
    Window,
    assembled,
)
from scheduler.rules.rrule import text as recurrence_text
from scheduler.rules.time import zones

_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")
_USUAL_META = re.compile(
    r'\{"last_run_at": \{"__type__": "datetime", '
    + "".join(rf'"{part}": (0|[1-9][0-9]{{0,8}}), ' for part in _PARTS)
    + r'"timezone": (?:"UTC"|0\.0)\}(?:, "total_run_count": (0|[1-9][0-9]{0,17}))?\}'
)
"""What our Beat and stock's write in UTC, whose encoder knows it as a name or as an offset in
seconds.
"""

_KEYS = {"name", "task", "schedule", "args", "kwargs", "enabled", "options"} | {
    "last_run_at",
    "total_run_count",
    "relative",
}
_KINDS: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("task", (str,), "a task name"),
    ("args", (list, type(None)), "a list"),
    ("kwargs", (dict, type(None)), "an object"),
    ("options", (dict, type(None)), "an object"),
)
_VALUES = frozenset(extras.SAYABLE) - {"when"}
_WHEN: TypeAdapter[When] = TypeAdapter(When)


class Raw(NamedTuple):
    """The three fields of an entry's hash, as text; none where the field is missing."""

    definition: str | None
    meta: str | None
    extra: str | None


@dataclass(frozen=True)
class Meta:
    """What Beat remembers of an entry: the last tick it sent, and how many it has sent."""

    last_run_at: datetime | None = None
    total_run_count: int | None = None


@dataclass(frozen=True)
class StoredSchedule:
    """A stored schedule with what surrounds it in Redis."""

    schedule: Schedule
    meta: Meta
    diverged: bool = False
    """Plain RedBeat code has rewritten the definition since our last edit; it counts as one more
    revision.
    """

    definition: dict[str, Any] = field(default_factory=dict, repr=False)


def decode(name: str, raw: Raw, *, static: bool = False) -> StoredSchedule:
    """Read the entry called `name`. Raises UnreadableEntry with what Beat would stumble over."""
    definition = _object(raw.definition, "definition")
    foreign = schedule_json.is_foreign(definition.get("schedule"))
    _check_loadable(name, definition, raw, foreign=foreign)
    extra = extras.decode(raw.extra) if raw.extra else None
    when = schedule_json.decode(definition.get("schedule"), foreign=foreign)
    try:
        if extra is not None:
            when = extras.apply_to(when, extra, definition.get("schedule"))
            when = _overridden_when(when, extra) if static else when
        _check_readable(when)
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


def encode_definition(schedule: Schedule, replaced: Mapping[str, Any] | None = None) -> str:
    """The definition of `schedule`. `replaced` is the one it takes the place of."""
    old = replaced or {}
    return json.dumps(
        {
            "name": schedule.name,
            "task": schedule.job,
            "args": old["args"]
            if "args" in old and (old["args"] or []) == schedule.args
            else schedule.args,
            "kwargs": schedule.kwargs,
            "options": _options(schedule, old),
            "schedule": schedule_json.encode(
                schedule.when, old.get("schedule"), since=schedule.updated_at
            ),
            "enabled": True if schedule.origin == "code" else schedule.enabled,
        }
    )


def encode_meta(meta: Meta) -> str:
    """What RedBeat writes when it saves an entry, or, with a count, when it advances one."""
    last = "null" if meta.last_run_at is None else _moment(meta.last_run_at)
    count = "" if meta.total_run_count is None else f', "total_run_count": {meta.total_run_count:d}'
    return f'{{"last_run_at": {last}{count}}}'


def decode_meta(text: str | None) -> Meta:
    """Read what Beat remembers. Raises UnreadableEntry."""
    if not text:
        return Meta()
    usual = _USUAL_META.fullmatch(text)
    if usual is not None:
        return _usual_meta(usual)
    meta = _object(text, "meta")
    unknown = meta.keys() - _KEYS
    if unknown or "last_run_at" not in meta:
        what = f"the unknown key {min(unknown)!r}" if unknown else "no 'last_run_at'"
        raise UnreadableEntry(f"meta has {what}; Beat cannot load it")
    count = meta.get("total_run_count")
    return Meta(_decode_moment(meta["last_run_at"]), count if isinstance(count, int) else None)


def _usual_meta(found: re.Match[str]) -> Meta:
    """The moment and the count in it. Raises UnreadableEntry."""
    *parts, count = map(int, found.groups("-1"))
    try:
        return Meta(datetime(*parts, tzinfo=UTC), None if count < 0 else count)  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError) as error:
        raise UnreadableEntry(f"'last_run_at' is not a moment: {found[0]:.100} ({error})") from None


def anchored(when: When, meta: Meta) -> When:
    """An interval that plain RedBeat code wrote counts from its last run."""
    if isinstance(when, IntervalWhen) and when.anchor is None and meta.last_run_at is not None:
        return when.model_copy(update={"anchor": meta.last_run_at})
    return when


def _object(text: str | None, what: str) -> dict[str, Any]:
    """A field's JSON object."""
    if not text:
        raise UnreadableEntry(f"the entry has no {what}; Beat drops such an entry")
    try:
        value = from_json(
            text
        )  # in half the time, and with a third of the memory, of the standard library
    except (TypeError, ValueError):
        raise UnreadableEntry(_why_unread(text, what)) from None
    if not isinstance(value, dict):
        raise UnreadableEntry(f"the {what} is a {type(value).__name__}, not an object")
    return value


def _why_unread(text: str, what: str) -> str:
    """What is wrong with it, in the words of the library that RedBeat uses, where that refuses it
    too.
    """
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return f"the {what} has half of a surrogate pair, which no event can carry"
    except (ValueError, RecursionError) as error:
        return f"the {what} is not JSON: {error}"
    return f"the {what} is nested too deeply: more than 200 levels"


def _check_loadable(name: str, definition: dict[str, Any], raw: Raw, *, foreign: bool) -> None:
    """Refuse what makes RedBeat's own loading fail, or makes it fire another entry in place of this
    one.
    """
    if definition.get("name") != name:
        raise UnreadableEntry(
            f"the entry {name!r} calls itself {definition.get('name')!r}; Beat would advance the "
            "other"
        )
    if not definition.keys() <= _KEYS:
        unknown = min(definition.keys() - _KEYS)
        raise UnreadableEntry(
            f"the definition has the unknown key {unknown!r}; Beat cannot load it"
        )
    for key, kinds, what in _KINDS:
        if not isinstance(definition.get(key), kinds):
            raise UnreadableEntry(f"{key} is {definition.get(key)!r:.80}, not {what}")
    if not definition["task"]:
        raise UnreadableEntry("the definition names no task")
    if foreign or TYPE in definition or has_types(definition, raw.definition or ""):
        _load_as_redbeat(raw.definition or "")


def has_types(definition: Mapping[str, Any], text: str) -> bool:
    """Whether any object at any depth, beside the schedule, is one of RedBeat's typed ones. `text`
    is its JSON.
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


def _load_as_redbeat(text: str) -> None:
    """Ask RedBeat itself; used only for what we do not read ourselves."""
    from redbeat.decoder import RedBeatJSONDecoder

    try:
        loaded = json.loads(text, cls=RedBeatJSONDecoder)
    except Exception as error:  # noqa: BLE001 - whatever it raises there would end Beat
        raise UnreadableEntry(
            f"RedBeat cannot load the definition: {type(error).__name__}: {error}"
        ) from None
    schedule = loaded.get("schedule") if isinstance(loaded, dict) else None
    if not hasattr(schedule, "is_due") and not isinstance(schedule, int | float):
        raise UnreadableEntry(
            f"the definition's schedule is {schedule!r:.80}, which is no schedule"
        )
    every = getattr(schedule, "run_every", None)
    if every is not None and not isinstance(every, timedelta):
        raise UnreadableEntry(f"every is {every!r:.80}, not a number of seconds")


def _check_readable(when: When) -> None:
    """Whether the parts of a `when` can be computed."""
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
    """Put together what the definition says and what only our field says."""
    queue, priority = queue_and_priority(definition.get("options") or {})
    override = extra.override if extra is not None and static else None
    origin = "code" if static else ("redbeat" if extra is None else extra.origin)
    said = {
        "name": name,
        "job": definition["task"],
        "enabled": bool(definition.get("enabled", True))
        and not (static and extra is not None and extra.held),
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
        "origin": "redbeat" if origin == "code" and not static else origin,
        "override": None,
        "updated_at": extra.updated_at if extra else None,
        "updated_by": extra.updated_by if extra else None,
    }
    if override is None:
        return assembled(said)
    values = {key: override.values[key] for key in override.values if key in _VALUES}
    return Schedule(
        **said | values | {"override": Override(fields=override.fields, code=override.code)}
    )


def _overridden_when(when: When, extra: extras.Extra) -> When:
    """The rule that an operator put in place of the code's; `when` where there is none."""
    said = None if extra.override is None else extra.override.values.get("when")
    if said is None:
        return when
    try:
        return _WHEN.validate_python(said)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UnreadableEntry(f"the override's when cannot be read: {first['msg']}") from None


def queue_and_priority(options: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """The two options that a Schedule can say."""
    queue, priority = options.get("queue"), options.get("priority")
    sayable = isinstance(priority, int) and not isinstance(priority, bool) and 0 <= priority <= 9
    return queue if isinstance(queue, str) else None, priority if sayable else None


def _options(schedule: Schedule, old: Mapping[str, Any]) -> dict[str, Any]:
    """The replaced definition's options with the queue and the priority of `schedule`."""
    options = dict(old.get("options") or {})
    said = dict(zip(("queue", "priority"), queue_and_priority(options), strict=True))
    for key, value in (("queue", schedule.queue), ("priority", schedule.priority)):
        if value is not None:
            options[key] = value
        elif said[key] is not None:
            del options[key]
    return options


def _moment(moment: datetime) -> str:
    """A moment as RedBeat's encoder writes one in the zone UTC, to the byte."""
    utc = moment.astimezone(UTC)
    return (
        f'{{"{TYPE}": "datetime", "year": {utc.year}, "month": {utc.month}, "day": {utc.day}, '
        f'"hour": {utc.hour}, "minute": {utc.minute}, "second": {utc.second}, '
        f'"microsecond": {utc.microsecond}, "timezone": "UTC"}}'
    )


def _decode_moment(value: Any) -> datetime | None:
    """A moment as RedBeat's decoder reads one: numbers are its offset in seconds, texts are names
    of zones.
    """
    if value is None:
        return None
    try:
        parts = dict(value)
        kind, zone = parts.pop(TYPE), parts.pop("timezone", "UTC")
        if kind != "datetime":
            raise ValueError(f"a {kind}")
        tzinfo = ZoneInfo(zone) if isinstance(zone, str) else timezone(timedelta(minutes=zone / 60))
        moment: datetime = datetime(tzinfo=tzinfo, **parts)
        return moment.astimezone(UTC)
    except (ArithmeticError, AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
        raise UnreadableEntry(f"'last_run_at' is not a moment: {value!r:.100} ({error})") from None
