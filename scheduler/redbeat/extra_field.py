"""What RedBeat's format cannot say, as the JSON of our own hash field. Pure.

The definition stays the truth for everything it can say; nothing of it is repeated here. `digest`
tells whether plain RedBeat code has rewritten the definition since. A rule that RedBeat cannot say
stands here whole, beside the digest of what the definition has in its place: once somebody rewrites
that, the definition is the truth again.
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
"""The fields of a schedule that a definition of RedBeat's says."""


class Overriding(BaseModel):
    """What an operator says in place of the code: the values, and the definition that the code had
    then.

    Fields that a definition cannot say stand among the others of ours; they are only named here.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    fields: list[str]
    values: dict[str, Any]
    code: dict[str, Any]


class Extra(BaseModel):
    """The field's content. Fields of later versions are kept out of the way, not refused."""

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
    """The rule, where neither the definition nor the fields above can say it."""

    stands_for: str | None = None
    """The digest of the definition's schedule that `when` takes the place of."""

    policies: Policies = Policies()
    window: Window = Window()
    paused: Pause | None = None
    skips: list[AwareDatetime] = Field(default_factory=list)
    held: bool = False
    """An operator switched off an entry that code owns; the definition, rewritten at each start,
    says enabled.
    """

    override: Overriding | None = None

    owner: str = ""
    tags: list[str] = Field(default_factory=list)
    description: str = ""
    notes: str = ""

    @field_serializer("when")
    def _with_its_kind(self, when: When | None) -> dict[str, Any] | None:
        """Defaults are left out everywhere, but not the kind."""
        return None if when is None else _rule(when)


def encode(schedule: Schedule, definition: str) -> str:
    """The field's text, to be stored beside `definition`."""
    said = json.loads(definition).get("schedule")
    override = schedule.override
    when = (
        schedule_json.decode(said)
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
        override=None if override is None else _overriding(schedule, override),
        owner=schedule.owner,
        tags=schedule.tags,
        description=schedule.description,
        notes=schedule.notes,
    )
    if apply_to(schedule_json.decode(said), extra, said) != when:
        extra = extra.model_copy(update={"when": when, "stands_for": _schedule_digest(said)})
    return extra.model_dump_json(exclude_defaults=True)


def decode(text: str) -> Extra:
    """Read the field. Raises UnreadableEntry."""
    try:
        return Extra.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "text"
        raise UnreadableEntry(f"the field 'beatdesk' is damaged, {where}: {first['msg']}") from None


def digest(definition: str) -> str:
    """A fingerprint of a definition."""
    return sha256(definition.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def apply_to(when: When, extra: Extra, said: Any) -> When:
    """Add to a `when` of RedBeat's format, `said`, what only ours can say. What does not fit its
    kind is left out.
    """
    if extra.when is not None and extra.stands_for == _schedule_digest(said):
        return extra.when
    if isinstance(when, CrontabWhen):
        said_here = {
            "timezone": extra.timezone or when.timezone,
            "dst_gap": extra.dst_gap,
            "dst_repeat": extra.dst_repeat,
        }
        same = all(getattr(when, name) == value for name, value in said_here.items())
        return when if same else when.model_copy(update=said_here)
    if isinstance(when, IntervalWhen):
        return IntervalWhen(every=when.every, anchor=extra.anchor)
    return when


def _overriding(schedule: Schedule, override: Override) -> Overriding:
    """The override with the values that stand in place of the definition's."""
    values = {
        name: getattr(schedule, name)
        for name in override.fields
        if name in SAYABLE and name != "when"
    }
    if "when" in override.fields:
        values["when"] = _rule(schedule.when)
    return Overriding(fields=override.fields, values=values, code=override.code)


def _rule(when: When) -> dict[str, Any]:
    return {"kind": when.kind, **when.model_dump(mode="json", exclude_defaults=True)}


def _schedule_digest(said: Any) -> str:
    return digest(json.dumps(said, sort_keys=True))
