"""The extra hash field `beatdesk`: values without a form in RedBeat's format, as JSON. Pure.

The definition stays the truth for every value with a form in RedBeat's format; the extra field
repeats none of them. `digest` shows whether plain RedBeat code has rewritten the definition since.
A rule without a form in RedBeat's format is stored here as a whole, beside the digest of the
schedule in the definition: after a rewrite by plain RedBeat code, the definition is the truth
again.
"""

import json
import re
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
)

from scheduler.errors import UnreadableEntry
from scheduler.redbeat import schedule_json
from scheduler.rules.model.spec import (
    CrontabWhen,
    IntervalWhen,
    Origin,
    Override,
    Pause,
    Policies,
    Schedule,
    When,
    Window,
)

_IS_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

SAYABLE = ("job", "when", "args", "kwargs", "queue", "priority")
"""The fields of a schedule with a form in RedBeat's definition."""


class StoredOverride(BaseModel):
    """An operator's override of a static entry: the values, and the code's definition at the time.

    `values` has the fields of RedBeat's definition; other overridden fields, such as policies, are
    stored as fields of `Extra`, and only named in `fields`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    fields: list[str]
    values: dict[str, Any]
    code: dict[str, Any]


class Extra(BaseModel):
    """The content of the field. Fields of later versions are ignored, not refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    uid: Annotated[
        str, AfterValidator(lambda text: text if _IS_UID.fullmatch(text) else str(UUID(text)))
    ]
    revision: int
    digest: str
    origin: Origin = "operator"
    updated_at: AwareDatetime | None = None
    updated_by: str | None = None
    timezone: str | None = None
    dst_gap: Literal["auto", "shift", "skip"] = "auto"
    dst_repeat: Literal["auto", "first", "both"] = "auto"
    anchor: AwareDatetime | None = None
    when: When | None = None
    """The rule, where neither the definition nor the fields above can express the rule."""

    stands_for: str | None = None
    """The digest of the schedule in the definition that `when` replaces."""

    policies: Policies = Policies()
    window: Window = Window()
    paused: Pause | None = None
    skips: list[AwareDatetime] = Field(default_factory=list)
    held: bool = False
    """A static entry is switched off by an operator; the definition, rewritten whenever Beat
    starts, is always enabled.
    """

    override: StoredOverride | None = None
    approval: str | None = None

    owner: str = ""
    tags: list[str] = Field(default_factory=list)
    description: str = ""
    notes: str = ""

    @field_serializer("when")
    def _with_its_kind(self, when: When | None) -> dict[str, Any] | None:
        """The rule without defaults, but always with its kind, needed by readers."""
        return None if when is None else _rule(when)


def encode(schedule: Schedule, definition: str) -> str:
    """Return the text of the field for `schedule`, whose definition is stored beside."""
    stored = json.loads(definition).get("schedule")
    override = schedule.override
    when = (
        schedule_json.decode(stored)
        if override is not None and "when" in override.fields
        else schedule.when
    )
    extra = Extra(
        uid=schedule.uid,
        revision=schedule.revision,
        digest=digest(definition),
        origin=schedule.origin,
        updated_at=schedule.updated_at,
        updated_by=schedule.updated_by,
        timezone=when.timezone if isinstance(when, CrontabWhen) else None,
        dst_gap=when.dst_gap if isinstance(when, CrontabWhen) else "auto",
        dst_repeat=when.dst_repeat if isinstance(when, CrontabWhen) else "auto",
        anchor=when.anchor if isinstance(when, IntervalWhen) else None,
        policies=schedule.policies,
        window=schedule.window,
        paused=schedule.paused,
        skips=schedule.skips,
        held=schedule.origin == "code" and not schedule.enabled,
        override=None if override is None else _stored_override(schedule, override),
        approval=schedule.approval,
        owner=schedule.owner,
        tags=schedule.tags,
        description=schedule.description,
        notes=schedule.notes,
    )
    if apply_to(schedule_json.decode(stored), extra, stored) != when:
        extra = extra.model_copy(update={"when": when, "stands_for": _schedule_digest(stored)})
    return extra.model_dump_json(exclude_defaults=True)


def decode(text: str) -> Extra:
    """Return the content of the field. Raises UnreadableEntry with the damaged place."""
    try:
        return Extra.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "text"
        raise UnreadableEntry(f"the field 'beatdesk' is damaged, {where}: {first['msg']}") from None


def digest(definition: str) -> str:
    """Return a fingerprint of a definition: 16 hexadecimal digits of SHA-256."""
    return sha256(definition.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def apply_to(when: When, extra: Extra, stored: Any) -> When:
    """Return the rule `when` with the values of the extra field: the zone, the anchor, and so on.

    `stored` is the schedule in the definition, as JSON, from which `when` was decoded. Values for
    another kind of rule are left out.
    """
    if extra.when is not None and extra.stands_for == _schedule_digest(stored):
        return extra.when
    if isinstance(when, CrontabWhen):
        values = {
            "timezone": extra.timezone or when.timezone,
            "dst_gap": extra.dst_gap,
            "dst_repeat": extra.dst_repeat,
        }
        same = all(getattr(when, name) == value for name, value in values.items())
        return when if same else when.model_copy(update=values)
    if isinstance(when, IntervalWhen):
        return IntervalWhen(every=when.every, anchor=extra.anchor)
    return when


def _stored_override(schedule: Schedule, override: Override) -> StoredOverride:
    """The override with the schedule's values for the fields of RedBeat's definition."""
    values = {
        name: getattr(schedule, name)
        for name in override.fields
        if name in SAYABLE and name != "when"
    }
    if "when" in override.fields:
        values["when"] = _rule(schedule.when)
    return StoredOverride(fields=override.fields, values=values, code=override.code)


def _rule(when: When) -> dict[str, Any]:
    return {"kind": when.kind, **when.model_dump(mode="json", exclude_defaults=True)}


def _schedule_digest(stored: Any) -> str:
    return digest(json.dumps(stored, sort_keys=True))
