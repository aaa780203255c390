"""The schedule as data: what operators write, what the API speaks, what the extra field and the revisions hold.

One pydantic model stands behind form, command, API and storage, so that they cannot differ. The shapes are
those of the published interface. Meaning (does this expression parse, does it ever fire) is checked in
`rules.check`, so that these models stay plain data.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue


class Frozen(BaseModel):
    """Immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CrontabWhen(Frozen):
    """Five crontab fields, read in a time zone."""

    kind: Literal["crontab"] = "crontab"
    crontab: str
    timezone: str = "UTC"
    day_match: Literal["and"] = "and"
    dst_gap: Literal["auto", "shift", "skip"] = "auto"
    dst_repeat: Literal["auto", "first", "both"] = "auto"


class IntervalWhen(Frozen):
    """Every `every` seconds of elapsed time from `anchor`: ticks are `anchor + n * every`, n >= 1."""

    kind: Literal["interval"] = "interval"
    every: float
    anchor: AwareDatetime | None = None


class RedBeatWhen(Frozen):
    """A schedule that only RedBeat computes (rrule, rounded intervals), in its own JSON: shown, run, not edited."""

    kind: Literal["redbeat"] = "redbeat"
    schedule: dict[str, JsonValue]


When = Annotated[CrontabWhen | IntervalWhen | RedBeatWhen, Field(discriminator="kind")]


class Spec(Frozen):
    """What an operator edits: when, what, and notes about it."""

    name: str
    job: str
    enabled: bool = True
    when: When
    args: list[JsonValue] = []
    kwargs: dict[str, JsonValue] = {}
    queue: str | None = None
    priority: Annotated[int, Field(ge=0, le=9)] | None = None
    owner: str = ""
    tags: list[str] = []
    description: str = ""
    notes: str = ""


Origin = Literal["operator", "code", "redbeat"]


class Schedule(Spec):
    """A saved schedule: a Spec with its identity and its revision.

    `origin` is `operator` for ours, `code` for static entries from `beat_schedule`, `redbeat` for entries
    written by plain RedBeat code; the latter two have revision 0 until an operator edits them.
    """

    uid: str
    revision: int
    origin: Origin = "operator"
    updated_at: datetime | None = None
    updated_by: str | None = None

    def spec(self) -> Spec:
        """The part that an operator edits."""
        return Spec(**{name: getattr(self, name) for name in Spec.model_fields})

    def to_json(self) -> dict[str, Any]:
        """The published JSON form, times as RFC 3339 in UTC with `Z`."""
        return self.model_dump(mode="json")
