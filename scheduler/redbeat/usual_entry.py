"""Entries as Beatdesk itself writes nearly all of them, decoded at a fifth of the price. Pure.

`recognise` decodes what `codec.decode` decodes, for a text that `codec.encode_definition` and
`extra_field.encode` may have written, of a schedule with a crontab or an interval. What many
schedules have in common (policies, options, a rule) is validated once. Everything unusual is left
to `codec.decode`, which alone knows what is wrong with an entry.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic_core import from_json

from scheduler.errors import BeatdeskError
from scheduler.redbeat import codec, schedule_json
from scheduler.redbeat import extra_field as extras
from scheduler.redbeat.rrules import TYPE
from scheduler.rules.model.spec import When

_UID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z"
_EXTRA = re.compile(
    rf'\{{"uid":"({_UID})","revision":(0|[1-9][0-9]{{0,8}}),"digest":"([0-9a-f]{{16}})"'
    rf'((?:,"origin":"[a-z]*")?)(?:,"updated_at":"({_TIME})")?'
    r'((?:,"(?:updated_by|timezone|dst_gap|dst_repeat)":"[^"\\]*")*)'
    rf'(?:,"anchor":"({_TIME})")?(.*)\}}',
    re.DOTALL,
)
"""Our field: what differs from schedule to schedule, and three texts that often do not."""

_NO_UID = "00000000-0000-0000-0000-000000000000"
_NO_DIGEST = "0" * 16
_CALL_KEYS = {"name", "task", "args", "kwargs"}
_RULE_KEYS = {"schedule", "enabled"}


class Shape:
    """What schedules have in common that differ in name, uid, arguments, rule and revision only.

    Equal shapes are one object, as long as it is in the cache.
    """

    __slots__ = ("extra", "options", "task")

    def __init__(self, task: str, options: dict[str, Any], extra: extras.Extra) -> None:
        self.task = task
        self.options = options
        self.extra = extra


class UsualEntry(NamedTuple):
    """The decoded parts of an entry that is switched on, and that only people have written."""

    shape: Shape
    uid: str
    revision: int
    when: When
    """The rule; an interval has no anchor here."""

    anchor: datetime | None
    """The anchor of an interval; None where it counts from the last run."""

    args: list[Any]
    kwargs: dict[str, Any]


def recognise(name: str, definition: str, extra: str) -> UsualEntry | None:
    """Return the parts of the entry called `name`; None where only `codec.decode` can decide."""
    texts = _texts(definition)
    parts = _EXTRA.fullmatch(extra)
    if texts is None or parts is None:
        return None
    call = _call(name, texts.call)
    uid, revision, digest, origin, updated_at, more, anchor, rest = parts.groups()
    shape_text = origin + more + rest
    when = _rule(texts.rule, shape_text)
    if call is None or when is None:
        return None
    task, args, kwargs = call
    shape = _shape(task, texts.options, shape_text)
    if shape is None or not _is_moment(updated_at) or not _is_moment(anchor):
        return None
    diverged = digest != extras.digest(definition)
    start = None if anchor is None else datetime.fromisoformat(anchor)
    return UsualEntry(shape, uid, int(revision) + diverged, when, start, args, kwargs)


class _Texts(NamedTuple):
    """A definition in three parts, each JSON with something missing at its end or beginning."""

    call: str
    options: str
    rule: str


def _texts(definition: str) -> _Texts | None:
    """The parts of a definition; None where it may have objects of RedBeat's types, or where its
    keys stand in another order.
    """
    call, has_options, rest = definition.rpartition(', "options": ')
    options, has_rule, rule = rest.rpartition(', "schedule": ')
    if not has_options or not has_rule:
        return None
    if TYPE in call or TYPE in options or "\\u" in definition:
        return None
    return _Texts(call, options, rule)


def _call(name: str, text: str) -> tuple[str, list[Any], dict[str, Any]] | None:
    """Task, arguments and keywords in the first part of a definition; None for unusual ones."""
    try:
        values = from_json(text + "}")
    except ValueError:
        return None
    if not isinstance(values, dict) or values.keys() != _CALL_KEYS or values["name"] != name:
        return None
    task, args, kwargs = values["task"], values["args"], values["kwargs"]
    if type(task) is not str or type(args) is not list or type(kwargs) is not dict:
        return None
    return task, args, kwargs


def _is_moment(text: str | None) -> bool:
    """Whether a text that looks like a moment is one, or there is none."""
    try:
        return text is None or bool(datetime.fromisoformat(text))
    except ValueError:
        return False


@lru_cache(maxsize=2000)
def _shape(task: str, options: str, shape_text: str) -> Shape | None:
    """The shape of these texts; None where the task, the options or our field are unusual."""
    extra = _extra(shape_text)
    try:
        values = from_json(options)
    except ValueError:
        return None
    if extra is None or not task or not isinstance(values, dict):
        return None
    return Shape(task, values, extra)


@lru_cache(maxsize=2000)
def _extra(shape_text: str) -> extras.Extra | None:
    """Our field without what differs from schedule to schedule; None for an unusual one."""
    head = f'{{"uid":"{_NO_UID}","revision":0,"digest":"{_NO_DIGEST}"'
    try:
        extra = extras.decode(head + shape_text + "}")
    except BeatdeskError:
        return None
    # A part that stands in the field twice counts as it stands last.
    own = (extra.uid, extra.revision, extra.digest, extra.updated_at, extra.anchor)
    if own != (_NO_UID, 0, _NO_DIGEST, None, None):
        return None
    is_unusual = (extra.when, extra.override, extra.approval) != (None, None, None)
    return None if is_unusual else extra


@lru_cache(maxsize=10_000)
def _rule(rule: str, shape_text: str) -> When | None:
    """The rule of a definition's end, with the zone of our field; None for an unusual one, or one
    that is switched off.
    """
    extra = _extra(shape_text)
    try:
        values = from_json('{"schedule": ' + rule)
        if extra is None or values.keys() != _RULE_KEYS or values["enabled"] is not True:
            return None
        schedule = values["schedule"]
        if schedule_json.is_foreign(schedule):
            return None
        when = extras.apply_to(schedule_json.decode(schedule, foreign=False), extra, schedule)
        codec.check_readable(when)
    except Exception:  # noqa: BLE001 - `codec.decode` meets the same error, and names it
        return None
    return when
