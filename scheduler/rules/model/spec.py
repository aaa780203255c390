"""The schedule as data: what operators write, what the API speaks, what the extra field and the
revisions hold.

One pydantic model stands behind form, command, API and storage, so that they cannot differ. The
shapes are those of the published interface. Meaning (does this expression parse, does it ever fire)
is checked in `rules.check`, so that these models stay plain data.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue


class Frozen(BaseModel):
    """Immutable, and unknown fields are refused.

    `defer_build`: a validator is made when it is first used (pydantic locks around it), not when
    its module is imported. Making those of the whole vocabulary takes longer than a command that
    uses three of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class CrontabWhen(Frozen):
    """Five crontab fields, read in a time zone.

    `crontab` is what was written; `resolved` the same with each `H` in its place, filled in when it
    is saved.
    """

    kind: Literal["crontab"] = "crontab"
    crontab: str
    resolved: str | None = None
    timezone: str = "UTC"
    day_match: Literal["and", "or"] = "and"
    dst_gap: Literal["auto", "shift", "skip"] = "auto"
    dst_repeat: Literal["auto", "first", "both"] = "auto"


class IntervalWhen(Frozen):
    """Every `every` seconds of elapsed time from `anchor`: ticks are `anchor + n * every`, n >=
    1.
    """

    kind: Literal["interval"] = "interval"
    every: float
    anchor: AwareDatetime | None = None


class OnceWhen(Frozen):
    """One tick at one instant."""

    kind: Literal["once"] = "once"
    at: AwareDatetime


class RruleWhen(Frozen):
    """RFC 5545's recurrence text from `dtstart` (a wall time of the zone, or an instant), in an
    IANA zone.
    """

    kind: Literal["rrule"] = "rrule"
    rrule: str
    dtstart: AwareDatetime
    timezone: str = "UTC"


class RedBeatWhen(Frozen):
    """A schedule that only RedBeat computes (rrule, rounded intervals), in its own JSON: shown,
    run, not edited.
    """

    kind: Literal["redbeat"] = "redbeat"
    schedule: dict[str, JsonValue]


When = Annotated[
    CrontabWhen | IntervalWhen | OnceWhen | RruleWhen | RedBeatWhen, Field(discriminator="kind")
]


class Policies(Frozen):
    """What happens when things do not go as planned. Times in seconds; None means no limit."""

    overlap: Literal["skip", "allow", "queue_one", "queue_all", "cancel_previous"] = "skip"
    queue_limit: Annotated[int, Field(ge=1, le=10_000)] = 100
    catch_up: Literal["latest", "none", "all"] = "latest"
    catch_up_window: Annotated[float, Field(ge=0)] = 3600
    starting_deadline: Annotated[float, Field(gt=0)] | None = None
    run_timeout: Annotated[float, Field(gt=0)] | None = None
    retries: Annotated[int, Field(ge=0, le=100)] = 0
    retry_backoff: Annotated[float, Field(gt=0)] = 60
    pause_after_failures: Annotated[int, Field(ge=1)] | None = None
    jitter: Annotated[float, Field(ge=0)] = 0


STOCK = Policies(overlap="allow", catch_up_window=366 * 86_400)
"""What RedBeat does with an entry that knows of no policies: starts it regardless, and after an
absence, once.
"""


class Window(Frozen):
    """Which of the ticks count: from `starts_at` on, before `ends_at`, the first `max_runs`,
    outside a calendar.
    """

    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    max_runs: Annotated[int, Field(ge=1)] | None = None
    calendar: str | None = None


class Pause(Frozen):
    """Why, by whom and since when nothing fires, and until when if it ends by itself."""

    reason: str
    by: str
    since: AwareDatetime
    until: AwareDatetime | None = None


class Override(Frozen):
    """What an operator put in place of what code (`beat_schedule`) says of its static entry.

    `fields` are the operator's; everything else follows the code. `code` is RedBeat's definition as
    the code had it then, so that it is seen when the code changes under the override.
    """

    fields: list[str]
    code: dict[str, JsonValue]


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
    policies: Policies = Policies()
    window: Window = Window()
    owner: str = ""
    tags: list[str] = []
    description: str = ""
    notes: str = ""


Origin = Literal["operator", "code", "redbeat"]


class Schedule(Spec):
    """A saved schedule: a Spec with its identity and its revision.

    `origin` is `operator` for ours, `code` for static entries from `beat_schedule`, `redbeat` for
    entries written by plain RedBeat code; the latter two have revision 0 until an operator edits
    them.
    """

    uid: str
    revision: int
    paused: Pause | None = None
    skips: list[AwareDatetime] = []
    origin: Origin = "operator"
    override: Override | None = None
    updated_at: datetime | None = None
    updated_by: str | None = None

    def spec(self) -> Spec:
        """The part that an operator edits."""
        return Spec(**{name: getattr(self, name) for name in Spec.model_fields})

    def to_json(self) -> dict[str, Any]:
        """The published JSON form, times as RFC 3339 in UTC with `Z`."""
        return self.model_dump(mode="json")


_ALL_FIELDS = set(Schedule.model_fields)


def assembled(values: dict[str, Any]) -> Schedule:
    """The schedule with these values, all of them, in the order of its fields, each checked before.

    As one that is copied, it costs a tenth of the time of one that is validated, and half the
    memory.
    """
    schedule = Schedule.__new__(Schedule)
    schedule.__setstate__(
        {
            "__dict__": values,
            "__pydantic_fields_set__": _ALL_FIELDS,
            "__pydantic_extra__": None,
            "__pydantic_private__": None,
        }
    )
    return schedule
