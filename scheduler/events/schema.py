"""The event vocabulary: frozen, versioned, with one encode and one decode.

This table is a public contract: an event of any past version decodes for ever (golden files in
`tests/unit/events/golden/`). A new fact is a new kind or an optional field; a field never changes
its meaning.

A run's events are ordered by `seq`, not by clocks: `seq = attempt * 10 + phase` (see `PHASE`), so
that every process that touches a run can number its events without asking anybody. Two deliveries
of one attempt give two events of one seq; ties are broken by `at`, then by `worker`, and the fold
in `history.projector` is written so that the order of arrival never matters.
"""

import json
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import AwareDatetime, Field, JsonValue, TypeAdapter, ValidationError

from scheduler.errors import BeatdeskError
from scheduler.events.edits import (
    CalendarDeleted,
    CalendarEvent,
    CalendarHealed,
    CalendarSaved,
    DeadLetterEvent,
    DeadLettersDropped,
    DeadLettersRetried,
    Event,
    ScheduleAdopted,
    ScheduleDeleted,
    ScheduleDisabled,
    ScheduleEnabled,
    ScheduleEvent,
    ScheduleHealed,
    SchedulePaused,
    ScheduleReset,
    ScheduleRestored,
    ScheduleResumed,
    ScheduleSaved,
    ScheduleTickKept,
    ScheduleTickSkipped,
)
from scheduler.rules.model.spec import Frozen, Schedule

__all__ = [
    "CalendarDeleted",
    "CalendarEvent",
    "CalendarHealed",
    "CalendarSaved",
    "DeadLetterEvent",
    "DeadLettersDropped",
    "DeadLettersRetried",
    "Event",
    "ScheduleAdopted",
    "ScheduleDeleted",
    "ScheduleDisabled",
    "ScheduleEnabled",
    "ScheduleEvent",
    "ScheduleHealed",
    "SchedulePaused",
    "ScheduleReset",
    "ScheduleRestored",
    "ScheduleResumed",
    "ScheduleSaved",
    "ScheduleTickKept",
    "ScheduleTickSkipped",
]
"""Defined in `edits`, and part of the vocabulary like all that follows."""

FIELD = "event"
"""The field of a stream entry that holds the encoded event."""

VERSION = 1

PHASE = {
    "run.queued": 0,
    "run.received": 1,
    "run.started": 2,
    "run.progressed": 2,
    "run.retried": 3,
    "run.succeeded": 4,
    "run.failed": 4,
    "run.expired": 5,
    "run.skipped": 5,
    "run.revoked": 6,
    "run.lost": 7,
}

OVERLAP_ACTOR = "overlap policy"
"""Who ends a run so that the next one of its schedule can start."""

Trigger = Literal["schedule", "manual", "backfill", "rerun", "api"]


class UndecodableEvent(BeatdeskError):
    """A stream entry is not an event of any known version."""


class RunFacts(Frozen):
    """What is known of a run from its message: why it exists and what it is to do."""

    job: str
    args: JsonValue = Field(default_factory=list)
    kwargs: JsonValue = Field(default_factory=dict)
    schedule: str | None = None
    schedule_uid: str | None = None
    revision: int | None = None
    tick: AwareDatetime | None = None
    trigger: Trigger = "api"
    actor: str | None = None
    queue: str | None = None
    queued_at: AwareDatetime | None = None
    parent: str | None = None


class RunEvent(Event):
    """A fact about a run. `attempt` counts from 1; `worker` is Celery's node name, none for a
    producer.
    """

    phase: ClassVar[int]

    run: str
    attempt: int = Field(ge=1)
    seq: int
    worker: str | None = None


class RunQueued(RunEvent):
    """A message for the run was given to the broker."""

    kind: Literal["run.queued"] = "run.queued"
    facts: RunFacts


class RunReceived(RunEvent):
    """A worker took the message."""

    kind: Literal["run.received"] = "run.received"
    facts: RunFacts


class RunStarted(RunEvent):
    """An attempt began."""

    kind: Literal["run.started"] = "run.started"
    pid: int | None = None


class RunProgressed(RunEvent):
    """A running attempt told how far it is, in a unit of its own; without `total` nobody knows how
    much there is.
    """

    kind: Literal["run.progressed"] = "run.progressed"
    done: float
    total: float | None = None
    text: str = ""


class RunRetried(RunEvent):
    """An attempt failed and another follows at `next_at`."""

    kind: Literal["run.retried"] = "run.retried"
    error: str
    traceback: str | None = None
    next_at: AwareDatetime | None = None


class RunSucceeded(RunEvent):
    """The run ended well."""

    kind: Literal["run.succeeded"] = "run.succeeded"
    result: JsonValue = None
    runtime: float | None = None


class RunFailed(RunEvent):
    """The run ended with an error, and no attempt follows."""

    kind: Literal["run.failed"] = "run.failed"
    error: str
    traceback: str | None = None
    runtime: float | None = None
    facts: RunFacts | None = None
    """Where nothing else tells them: a chord's body that never was a message, because a part of the
    chord failed.
    """


class RunExpired(RunEvent):
    """The run came to a worker too late to start."""

    kind: Literal["run.expired"] = "run.expired"


class RunSkipped(RunEvent):
    """The run's worker did not start it, because a policy or an operator says so."""

    kind: Literal["run.skipped"] = "run.skipped"
    reason: Literal["overlap", "paused", "operator"]


class RunRevoked(RunEvent):
    """The run was cancelled."""

    kind: Literal["run.revoked"] = "run.revoked"
    actor: str | None = None
    terminated: bool = False


class RunLost(RunEvent):
    """Nothing was heard of whoever has the run, so that it no longer holds up others. A later end
    counts more.
    """

    kind: Literal["run.lost"] = "run.lost"
    schedule: str | None = None
    schedule_uid: str | None = None
    facts: RunFacts | None = None
    """What is known of it, where its message may never have come to a queue."""


class LogLine(Frozen):
    """A line that a job has logged."""

    at: AwareDatetime
    level: str
    logger: str
    text: str


class RunLogged(Event):
    """Log lines of an attempt, in order. `first` is the place of the first among all of them, from
    0.

    `left_out` lines stood right before them and were not kept, because there were too many.
    """

    kind: Literal["log.written"] = "log.written"
    run: str
    attempt: int = Field(ge=1)
    worker: str | None = None
    first: int = Field(ge=0)
    left_out: int = Field(0, ge=0)
    lines: list[LogLine] = []


class TicksEvent(Event):
    """A verdict on ticks of a schedule that became no run, as one range: the first, the last, and
    how many.
    """

    schedule: str
    schedule_uid: str
    revision: int
    job: str
    reason: str
    tick_from: AwareDatetime
    tick_to: AwareDatetime
    ticks: int = Field(ge=1)
    actor: str | None = None
    """Who wanted it, where it was somebody's wish about these ticks."""


class TicksMissed(TicksEvent):
    """Nobody could run these ticks."""

    kind: Literal["ticks.missed"] = "ticks.missed"
    reason: Literal["scheduler_down", "deadline", "coalesced", "broker"]


class TicksSkipped(TicksEvent):
    """A policy, or an operator, decided that these ticks do not run."""

    kind: Literal["ticks.skipped"] = "ticks.skipped"
    reason: Literal["overlap", "paused", "window", "calendar", "operator", "finished"]


class ReportStored(Event):
    """A job left a file. `path` is relative to the data folder's `reports/`; `size` in bytes."""

    kind: Literal["report.stored"] = "report.stored"
    report: str
    run: str | None
    title: str
    path: str
    media_type: str
    size: int
    sha256: str
    keep_until: AwareDatetime | None = None


AnyEvent = Annotated[
    ScheduleSaved
    | ScheduleEnabled
    | ScheduleDisabled
    | ScheduleDeleted
    | SchedulePaused
    | ScheduleResumed
    | ScheduleTickSkipped
    | ScheduleTickKept
    | ScheduleRestored
    | ScheduleReset
    | ScheduleAdopted
    | ScheduleHealed
    | CalendarSaved
    | CalendarDeleted
    | CalendarHealed
    | DeadLettersRetried
    | DeadLettersDropped
    | RunQueued
    | RunReceived
    | RunStarted
    | RunProgressed
    | RunLogged
    | RunRetried
    | RunSucceeded
    | RunFailed
    | RunExpired
    | RunSkipped
    | RunRevoked
    | RunLost
    | TicksMissed
    | TicksSkipped
    | ReportStored,
    Field(discriminator="kind"),
]


@cache
def _adapter() -> TypeAdapter[Any]:
    """Reads events of every kind. Made once, when the first event is read: see `Frozen`."""
    return TypeAdapter(AnyEvent)


def prepare() -> None:
    """Make the validators of all events now, for a process that forks children or measures its
    first message.
    """
    Schedule.model_rebuild()
    RunFacts.model_rebuild()
    union, _ = get_args(AnyEvent)
    for kind in get_args(union):
        kind.model_rebuild()
    _adapter()


def run_event(
    kind: type[RunEvent],
    run: str,
    attempt: int,
    at: datetime,
    *,
    worker: str | None = None,
    **facts: Any,
) -> RunEvent:
    """Build a run's event with the sequence number that belongs to its kind and attempt."""
    name = kind.model_fields["kind"].default
    return kind(
        run=run, attempt=attempt, at=at, worker=worker, seq=attempt * 10 + PHASE[name], **facts
    )


def encode(event: Event) -> dict[str, str]:
    """The fields of the stream entry for `event`."""
    return {FIELD: event.model_dump_json(exclude_defaults=False)}


def decode(fields: dict[str, str]) -> Event:
    """The event in a stream entry. Raises UndecodableEvent with the reason."""
    try:
        event: Event = _adapter().validate_python(json.loads(fields[FIELD]))
    except KeyError:
        raise UndecodableEvent(
            f"the stream entry has no field {FIELD!r}, only {sorted(fields)}"
        ) from None
    except ValidationError as error:
        raise UndecodableEvent(
            f"not an event that this version knows: {_reasons(error)}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UndecodableEvent(f"not an event that this version knows: {error}") from error
    return event


def _reasons(error: ValidationError) -> str:
    """What is wrong at which place of the event, without the values, which may be secret."""
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'event'}: {fault['msg']}" for fault in faults
    )
