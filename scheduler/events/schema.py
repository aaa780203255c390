"""The event vocabulary: frozen, versioned, with one encoder and one decoder.

    run.queued          0    a message for the run was given to the broker
    run.moved           0    an operator moved the waiting message to another queue
    run.received        1    a worker took the message
    run.started         2    an attempt began
    run.progressed      2    a running attempt reported its progress
    run.retried         3    an attempt failed, and another follows
    run.succeeded       4    the run ended without an error
    run.failed          4    the run ended with an error, and no attempt follows
    run.expired         5    the starting deadline had passed before the run started
    run.skipped         5    a worker did not start the run, by a policy or for an operator
    run.revoked         6    the run was cancelled
    run.lost            7    the run's lease expired without an end, or its message is gone
    log.written              log lines of an attempt
    ticks.missed             ticks that could not run: absence, deadline, coalesced, broker
    ticks.skipped            ticks that did not run by a policy or for an operator
    report.stored            a job stored a file
    outage.noted, fact.noted    who was there, and who was not: see `surroundings`
    schedule.*, calendar.*, dead_letters.*    edits by operators: see `edits`
    access.*                 logins, accounts, tokens, exports: see `access`

Logs and reports stand in `output`.

The vocabulary is a public contract: an event of any past version decodes for ever (golden files in
`tests/unit/events/golden/`). A new fact is a new kind or an optional field; a field never changes
its meaning.

A run's events are ordered by `seq`, not by clocks: `seq = attempt * 10 + phase`, with the phases of
the table above (`PHASE`), so that every process can number the events of a run without
coordination. Two deliveries of an attempt give two events with the same `seq`; ties are broken by
`at`, then by `worker`, and the fold in `history.recording.projector` does not depend on the order
of arrival.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, cast, get_args

from pydantic import AwareDatetime, Field, JsonValue, TypeAdapter, ValidationError

from scheduler.errors import BeatdeskError
from scheduler.events.access import AnyAccess
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
from scheduler.events.output import LogLine, ReportStored, RunLogged
from scheduler.events.surroundings import FactNoted, OutageNoted
from scheduler.events.ticks import TicksEvent, TicksMissed, TicksSkipped
from scheduler.events.tolerance import is_from_newer_version, reasons
from scheduler.rules.model.spec import Frozen, Schedule

# fmt: off
__all__ = [
    "CalendarDeleted", "CalendarEvent", "CalendarHealed", "CalendarSaved", "DeadLetterEvent",
    "DeadLettersDropped", "DeadLettersRetried", "Event", "FactNoted", "LogLine", "OutageNoted",
    "ReportStored", "RunLogged", "ScheduleAdopted", "ScheduleDeleted",
    "ScheduleDisabled", "ScheduleEnabled", "ScheduleEvent", "ScheduleHealed", "SchedulePaused",
    "ScheduleReset", "ScheduleRestored", "ScheduleResumed", "ScheduleSaved", "ScheduleTickKept",
    "ScheduleTickSkipped", "TicksEvent", "TicksMissed", "TicksSkipped",
]
# fmt: on
"""The events of `edits`, `output`, `surroundings` and `ticks`, which are part of the vocabulary."""

FIELD = "event"
"""The field of a stream entry that holds the encoded event."""

VERSION = 1

PHASE = {
    "run.queued": 0,
    "run.moved": 0,
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
"""The actor of a cancellation by the policy `cancel_previous`."""

Trigger = Literal["schedule", "manual", "backfill", "rerun", "api"]


class UndecodableEvent(BeatdeskError):
    """A stream entry is not an event of any known version."""


class NewerEvent(UndecodableEvent):
    """An event of a newer version, which waits for an upgrade of the recorder."""


class RunFacts(Frozen):
    """The facts about a run from its message: why the run exists, and what the run calls."""

    job: str
    args: JsonValue = Field(default_factory=list)
    kwargs: JsonValue = Field(default_factory=dict)
    schedule: str | None = None
    schedule_uid: str | None = None
    revision: int | None = None
    tick: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    """When the run is to start, where jitter moves that away from the tick."""

    trigger: Trigger = "api"
    actor: str | None = None
    queue: str | None = None
    queued_at: AwareDatetime | None = None
    parent: str | None = None


class RunEvent(Event):
    """A fact about a run.

    `run` is the Celery task id; `attempt` begins at 1; `seq` orders the events of a run; `worker`
    is Celery's node name, None for an event of a producer.
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


class RunMoved(RunEvent):
    """An operator moved the run's waiting message to another queue, which the facts name."""

    kind: Literal["run.moved"] = "run.moved"
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
    """A running attempt reported its progress: `done` of `total`, in a unit of the job's choice."""

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
    redelivered: bool = False
    """Whether the attempt was stopped for its worker, and its own message comes back."""


class RunSucceeded(RunEvent):
    """The run ended without an error; `runtime` in seconds."""

    kind: Literal["run.succeeded"] = "run.succeeded"
    result: JsonValue = None
    runtime: float | None = None


class RunFailed(RunEvent):
    """The run ended with an error, and no attempt follows; `runtime` in seconds."""

    kind: Literal["run.failed"] = "run.failed"
    error: str
    traceback: str | None = None
    runtime: float | None = None
    facts: RunFacts | None = None
    """The facts of a run without a message: the body of a chord of which a part failed."""


class RunExpired(RunEvent):
    """The run's starting deadline passed before the run started, and it did not start."""

    kind: Literal["run.expired"] = "run.expired"
    deadline: AwareDatetime | None = None
    reason: str | None = None
    """What the run waited for when its deadline passed, as a sentence for the history."""

    facts: RunFacts | None = None
    """The facts of the message, which may be the only ones: a worker that finds a message too late
    does not take it.
    """


class RunSkipped(RunEvent):
    """A worker did not start the run, by a policy or for an operator."""

    kind: Literal["run.skipped"] = "run.skipped"
    reason: Literal["overlap", "paused", "operator"]


class RunRevoked(RunEvent):
    """The run was cancelled."""

    kind: Literal["run.revoked"] = "run.revoked"
    actor: str | None = None
    terminated: bool = False


class RunLost(RunEvent):
    """The run's lease expired, or its message is gone: it no longer blocks its schedule's runs.

    An end that arrives later replaces this state.
    """

    kind: Literal["run.lost"] = "run.lost"
    schedule: str | None = None
    schedule_uid: str | None = None
    facts: RunFacts | None = None
    """The facts of a run whose message may never have reached a queue."""

    reason: str | None = None
    """Why the run counts as lost, as a word: `message_gone`, `no_trace`; None for a lease that
    expired.
    """

    detail: str | None = None
    """The same in a sentence, for people."""


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
    | RunMoved
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
    | ReportStored
    | OutageNoted
    | FactNoted
    | AnyAccess,
    Field(discriminator="kind"),
]


@cache
def _adapter() -> TypeAdapter[Any]:
    """The validator of all kinds of events, built for the first event that is read (`Frozen`)."""
    return TypeAdapter(AnyEvent)


def prepare() -> None:
    """Build the validators of all events now: before a fork, or before a first timed message."""
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
    """Return a run's event with the `seq` of its kind and attempt; `facts` are its other fields."""
    name = kind.model_fields["kind"].default
    return kind(
        run=run, attempt=attempt, at=at, worker=worker, seq=attempt * 10 + PHASE[name], **facts
    )


def encode(event: Event) -> dict[str, str]:
    """Return the fields of the stream entry for `event`.

    A run's events are many: of them, only `v`, `kind` and what differs from the defaults is
    written. Edits are written whole, since a definition must not change with its defaults.
    """
    if not isinstance(event, RunEvent):
        return {FIELD: event.model_dump_json()}
    text = event.model_dump_json(exclude_defaults=True)
    return {FIELD: f"{_head(type(event))},{text[1:]}"}


@cache
def _head(kind: type[Event]) -> str:
    """The beginning of the text of an event: both are defaults of the class."""
    return f'{{"v":{VERSION},"kind":"{kind.model_fields["kind"].default}"'


def decode(fields: dict[str, str]) -> Event:
    """Return the event in a stream entry; fields that this version does not know are ignored.

    Raises NewerEvent for an event of a newer version, else UndecodableEvent; the reason has no
    values.
    """
    text = fields.get(FIELD)
    if text is None:
        raise UndecodableEvent(f"the stream entry has no field {FIELD!r}, only {sorted(fields)}")
    try:
        event: Event = _adapter().validate_json(text, extra="ignore")
    except ValueError:
        return _decode_slowly(text)
    return event


def _decode_slowly(text: str) -> Event:
    """Decode by the standard library, which reads some texts that pydantic's parser does not."""
    try:
        event: Event = _adapter().validate_python(json.loads(text), extra="ignore")
    except ValidationError as error:
        faults = cast("list[Mapping[str, Any]]", error.errors(include_url=False))
        newer = is_from_newer_version(text, faults, _kinds(), VERSION)
        refusal = NewerEvent if newer else UndecodableEvent
        raise refusal(f"not an event that this version knows: {reasons(error)}") from error
    except (ValueError, RecursionError) as error:
        raise UndecodableEvent(f"not an event that this version knows: {error}") from error
    return event


@cache
def _kinds() -> frozenset[str]:
    union, _ = get_args(AnyEvent)
    return frozenset(kind.model_fields["kind"].default for kind in get_args(union))
