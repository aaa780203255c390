"""The schedule as data: the shapes of the published interface, of storage and of revisions.

One pydantic model stands behind form, command, API and storage, so all four agree. The shapes are
published. Meaning (does an expression parse, does it ever fire) is checked in `rules.check`, so the
models stay plain data.

Each field is one row of the field table (`rules.model.fields`): type, limits, and in `About` the
words for people. A new plain field is written here and nowhere else.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, JsonValue

from scheduler.rules.model.about import SECONDS, About, Choice
from scheduler.rules.model.frozen import Frozen
from scheduler.rules.model.policies import STOCK, Policies, Window

__all__ = [
    "STOCK",
    "CrontabWhen",
    "Frozen",
    "IntervalWhen",
    "OnceWhen",
    "Origin",
    "Override",
    "Pause",
    "Policies",
    "RedBeatWhen",
    "RruleWhen",
    "Schedule",
    "Spec",
    "When",
    "Window",
    "assembled",
]


TimeZone = Annotated[
    str,
    About(
        label="Time zone",
        hint="Its clock is meant, through every clock change.",
        option="IANA zone whose clock is meant, such as Europe/Berlin.",
        flag="--tz",
        metavar="ZONE",
        max_length=100,
    ),
]


class CrontabWhen(Frozen):
    """A crontab expression in a time zone.

    `crontab` is the expression as typed; `resolved`, set on saving, has a value for each `H`.
    """

    kind: Literal["crontab"] = "crontab"
    crontab: Annotated[
        str,
        About(
            label="Crontab line",
            option="Five crontab fields, or @daily: '0 6 * * mon-fri', 'H H L * *'.",
            flag="--cron",
            max_length=1000,
        ),
    ]
    resolved: str | None = None
    timezone: TimeZone = "UTC"
    day_match: Annotated[
        Literal["and", "or"],
        About(
            label="Day of month and day of week",
            option="--cron: both day fields match, or either.",
            choices=(Choice("and", "both match"), Choice("or", "either is enough")),
        ),
    ] = "and"
    dst_gap: Annotated[
        Literal["auto", "shift", "skip"],
        About(
            label="A time that the clock skips",
            hint="Usual: what runs by the hour skips it, a fixed time runs right after.",
            option="--cron: times that the clock skips.",
            choices=(
                Choice("auto", "As usual"),
                Choice("shift", "Runs at the first moment after"),
                Choice("skip", "Does not run"),
            ),
        ),
    ] = "auto"
    dst_repeat: Annotated[
        Literal["auto", "first", "both"],
        About(
            label="A time that comes twice",
            hint="Usual: what runs by the hour runs both times, a fixed time once.",
            option="--cron: times that come twice.",
            choices=(
                Choice("auto", "As usual"),
                Choice("first", "Runs the first time"),
                Choice("both", "Runs both times"),
            ),
        ),
    ] = "auto"


class IntervalWhen(Frozen):
    """Every `every` seconds of elapsed time: the ticks are `anchor + n * every`, n >= 1."""

    kind: Literal["interval"] = "interval"
    every: Annotated[
        float,
        About(
            label="Every",
            hint="Elapsed time. No clock change touches it.",
            option="Every so many seconds of elapsed time.",
            metavar="SECONDS",
            unit=SECONDS,
            max_length=40,
        ),
    ]
    anchor: Annotated[
        AwareDatetime | None,
        About(
            label="Anchor",
            hint="What the interval counts from; the moment of saving without it.",
            option="What --every counts from; the moment of saving without it.",
            metavar="TIME",
        ),
    ] = None


class OnceWhen(Frozen):
    """One tick at one instant."""

    kind: Literal["once"] = "once"
    at: Annotated[
        AwareDatetime,
        About(
            label="At",
            hint="One run at this moment. Afterwards the schedule is finished, and kept.",
            option="Once: 2026-12-24T18:00:00Z, without an offset the clock of --tz; or "
            "tomorrow 7:00.",
        ),
    ]


class RruleWhen(Frozen):
    """A recurrence rule (RFC 5545, section 3.3.10) in an IANA zone, starting at `dtstart`."""

    kind: Literal["rrule"] = "rrule"
    rrule: Annotated[
        str,
        About(
            label="Recurrence rule",
            hint="RFC 5545: FREQ, INTERVAL, BYDAY, BYMONTHDAY, BYHOUR, COUNT, UNTIL and the "
            "others.",
            option="A recurrence rule of RFC 5545: 'FREQ=MONTHLY;BYDAY=-1FR'.",
            max_length=1000,
        ),
    ]
    dtstart: Annotated[
        AwareDatetime,
        About(
            label="Counted from",
            hint="The first moment it can run. Where the rule names no hour, it is this one.",
            option="What --rrule counts from; this minute without it.",
        ),
    ]
    timezone: TimeZone = "UTC"


class RedBeatWhen(Frozen):
    """A schedule that only RedBeat can compute (rrule, rounded intervals), in RedBeat's JSON.

    Shown and run, but not edited.
    """

    kind: Literal["redbeat"] = "redbeat"
    schedule: dict[str, JsonValue]


When = Annotated[
    CrontabWhen | IntervalWhen | OnceWhen | RruleWhen | RedBeatWhen, Field(discriminator="kind")
]


class Pause(Frozen):
    """A pause of a schedule; with `until`, the pause ends by itself."""

    reason: str
    by: str
    since: AwareDatetime
    until: AwareDatetime | None = None


class Override(Frozen):
    """An operator's override of a static entry (an entry of `beat_schedule`).

    `fields` names the overridden fields; all other fields follow the code. `code` is RedBeat's
    definition from the code at the time of the edit, so that a later change in the code is noticed.
    """

    fields: list[str]
    code: dict[str, JsonValue]


class Spec(Frozen):
    """The fields of a schedule that an operator edits."""

    name: Annotated[
        str,
        About(
            label="Name",
            hint="Letters, digits, “.”, “_” and “-”. It cannot be changed later.",
            max_length=200,
        ),
    ]
    job: Annotated[str, About(label="Job", hint="The job to run.", max_length=255)]
    enabled: Annotated[bool, About(label="Enabled", hint="Off keeps it, and nothing fires.")] = True
    when: Annotated[When, About(label="When")]
    args: Annotated[
        list[JsonValue],
        About(
            label="Positional arguments",
            hint="JSON, such as [1, 2]",
            option="Positional arguments, a JSON list.",
            max_length=100_000,
            is_long=True,
        ),
    ] = []
    kwargs: Annotated[
        dict[str, JsonValue],
        About(
            label="Arguments",
            hint='JSON, such as {"days": 1}',
            option="Named arguments, a JSON object.",
            max_length=100_000,
            is_long=True,
        ),
    ] = {}
    queue: Annotated[
        str | None,
        About(
            label="Queue",
            hint="Empty: the job's own.",
            option="Queue to send to; empty for the job's own.",
            metavar="QUEUE",
            max_length=200,
            unset="",
        ),
    ] = None
    priority: Annotated[
        Annotated[int, Field(ge=0, le=9)] | None,
        About(
            label="Priority",
            hint="0 to 9; 0 is taken first.",
            option="Priority of the message.",
            metavar="0-9",
            max_length=10,
        ),
    ] = None
    policies: Annotated[Policies, About(label="Policies")] = Policies()
    window: Annotated[Window, About(label="Start and end")] = Window()
    owner: Annotated[
        str,
        About(
            label="Owner",
            hint="Who is asked when it fails.",
            option="Who answers for it.",
            max_length=200,
        ),
    ] = ""
    tags: Annotated[
        list[str],
        About(
            label="Tags",
            hint="With commas between them.",
            option="May be given again; replaces all tags.",
            flag="--tag",
            metavar="TAG",
            max_length=1000,
        ),
    ] = []
    description: Annotated[
        str,
        About(label="Description", option="The purpose, in one line.", max_length=1000),
    ] = ""
    notes: Annotated[
        str,
        About(
            label="Notes",
            hint="What to do when it fails, whom to call.",
            option="What whoever is called at night must know.",
            max_length=20_000,
            is_long=True,
        ),
    ] = ""


Origin = Literal["operator", "code", "redbeat"]


class Schedule(Spec):
    """A saved schedule: a Spec with identity and revision.

    `origin` is `operator` for schedules made in Beatdesk, `code` for static entries from
    `beat_schedule`, and `redbeat` for entries written by plain RedBeat code. Static entries and
    plain RedBeat's have revision 0 until an operator edits the schedule.
    """

    uid: str
    revision: int
    paused: Pause | None = None
    skips: list[AwareDatetime] = []
    origin: Origin = "operator"
    override: Override | None = None
    updated_at: datetime | None = None
    updated_by: str | None = None
    approval: str | None = Field(None, exclude_if=lambda approval: approval is None)
    """The mark by which workers run a job for administrators (`runs.approvals`)."""

    def spec(self) -> Spec:
        """Return the fields that an operator edits."""
        return Spec(**{name: getattr(self, name) for name in Spec.model_fields})

    def to_json(self) -> dict[str, Any]:
        """Return the published JSON form, with times as RFC 3339 in UTC with `Z`."""
        return self.model_dump(mode="json")


_ALL_FIELDS = set(Schedule.model_fields)


def assembled(values: dict[str, Any]) -> Schedule:
    """Return a schedule made of checked values without validating again.

    `values` must have every field of Schedule, in the order of the class. Costs a tenth of the
    time of a validation, and half the memory.
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
