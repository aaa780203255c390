"""What RedBeat's format cannot say, as the JSON of our own hash field. Pure.

The definition stays the truth for everything it can say; nothing of it is repeated here. `digest` tells whether
plain RedBeat code has rewritten the definition since.
"""

from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, ValidationError

from scheduler.errors import UnreadableEntry
from scheduler.rules.spec import CrontabWhen, IntervalWhen, Origin, Schedule, When


class Extra(BaseModel):
    """The field's content. Fields of later versions are kept out of the way, not refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    uid: Annotated[str, AfterValidator(lambda text: str(UUID(text)))]
    revision: int
    digest: str
    origin: Origin = "operator"
    updated_at: AwareDatetime | None = None
    updated_by: str | None = None
    timezone: str | None = None
    day_match: Literal["and", "or"] = "and"
    dst_gap: Literal["auto", "shift", "skip"] = "auto"
    dst_repeat: Literal["auto", "first", "both"] = "auto"
    anchor: AwareDatetime | None = None
    held: bool = False
    """An operator switched off an entry that code owns; the definition, rewritten at each start, says enabled."""

    owner: str = ""
    tags: list[str] = []
    description: str = ""
    notes: str = ""


def encode(schedule: Schedule, definition: str) -> str:
    """The field's text, to be stored beside `definition`."""
    when = schedule.when
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
        held=schedule.origin == "code" and not schedule.enabled,
        owner=schedule.owner,
        tags=schedule.tags,
        description=schedule.description,
        notes=schedule.notes,
    )
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


def apply_to(when: When, extra: Extra) -> When:
    """Add to a `when` of RedBeat's format what only ours can say. What does not fit its kind is left out."""
    if isinstance(when, CrontabWhen):
        return when.model_copy(
            update={
                "timezone": extra.timezone or when.timezone,
                "dst_gap": extra.dst_gap,
                "dst_repeat": extra.dst_repeat,
            }
        )
    if isinstance(when, IntervalWhen):
        return when.model_copy(update={"anchor": extra.anchor})
    return when
