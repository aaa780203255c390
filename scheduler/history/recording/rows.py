"""Rows of the history as plain data, and the rows touched by an event. Pure; no SQL.

The fields are the columns of the tables in `models`, so that a row is written unchanged.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from scheduler.errors import BeatdeskError
from scheduler.events.access import AccessEvent
from scheduler.events.schema import (
    CalendarEvent,
    DeadLetterEvent,
    Event,
    FactNoted,
    OutageNoted,
    ReportStored,
    RunEvent,
    RunLogged,
    ScheduleEvent,
    TicksEvent,
)
from scheduler.rules.model.run_states import RunState

RUN_ID_LIMIT = 128
_MISSED = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/missed-ticks")


class UnfoldableEvent(BeatdeskError):
    """An event is well-formed, but has values unfit for the history's columns."""


@dataclass(slots=True)
class RunRow:
    """A run: the columns of `runs` and of `run_details`.

    Columns of `run_details` are args, kwargs, result, error and traceback.
    """

    id: str
    job: str = ""
    schedule: str | None = None
    schedule_uid: str | None = None
    revision: int | None = None
    state: str = RunState.QUEUED.value
    reason: str | None = None
    trigger: str | None = None
    actor: str | None = None
    queue: str | None = None
    worker: str | None = None
    parent: str | None = None
    tick: datetime | None = None
    due_at: datetime | None = None
    tick_to: datetime | None = None
    ticks: int = 1
    queued_at: datetime | None = None
    received_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    lateness: float | None = None
    duration: float | None = None
    first_at: datetime | None = None
    state_stamp: str | None = None
    facts_stamp: str | None = None
    worker_stamp: str | None = None
    progress_done: float | None = None
    progress_total: float | None = None
    progress_text: str | None = None
    progress_stamp: str | None = None
    args: Any = None
    kwargs: Any = None
    result: Any = None
    error: str | None = None
    traceback: str | None = None


@dataclass(slots=True)
class AttemptRow:
    """An attempt of a run."""

    run_id: str
    number: int
    state: str = RunState.QUEUED.value
    received_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    worker: str | None = None
    error: str | None = None
    traceback: str | None = None
    state_stamp: str | None = None
    worker_stamp: str | None = None


@dataclass(slots=True)
class RevisionRow:
    """A change of a schedule. Rows never change: two different changes are two rows."""

    id: str
    schedule_uid: str
    revision: int
    name: str
    action: str
    at: datetime
    actor: str
    comment: str
    definition: Any


@dataclass(slots=True)
class ReportRow:
    """A file left by a job. Of two events about a report, the lower stamp wins."""

    id: str
    run_id: str | None
    title: str
    path: str
    media_type: str
    size: int
    sha256: str
    created_at: datetime
    keep_until: datetime | None
    stamp: str


@dataclass(slots=True)
class LogRow:
    """Log lines of an attempt, a row per event.

    Rows never change; the `id` is derived from the whole event.
    """

    id: str
    run_id: str
    attempt: int
    first: int
    left_out: int
    at: datetime
    lines: Any


@dataclass(slots=True)
class Rows:
    """Rows by id; attempts by run and number."""

    runs: dict[str, RunRow] = field(default_factory=dict)
    attempts: dict[tuple[str, int], AttemptRow] = field(default_factory=dict)
    revisions: dict[str, RevisionRow] = field(default_factory=dict)
    reports: dict[str, ReportRow] = field(default_factory=dict)
    logs: dict[str, LogRow] = field(default_factory=dict)


def run_of(event: Event) -> str | None:
    """Return the id of the run's row touched by an event; None for an event about no run.

    Raises UnfoldableEvent for unusable ids and for unknown kinds of events.
    """
    if isinstance(event, RunEvent):
        return storable_id(event.run)
    if isinstance(event, TicksEvent):
        return range_id(event)
    if isinstance(event, ScheduleEvent | ReportStored | RunLogged):
        return None
    if isinstance(event, CalendarEvent | DeadLetterEvent | OutageNoted | FactNoted | AccessEvent):
        return None
    raise UnfoldableEvent(f"events like {type(event).__name__} are unknown")


def storable_id(run: str) -> str:
    """Return the id of a run, unchanged.

    Raises UnfoldableEvent unless the id has 1 to 128 characters and no NUL.
    """
    if not 0 < len(run) <= RUN_ID_LIMIT or "\x00" in run:
        raise UnfoldableEvent(
            f"the id of a run has 1 to {RUN_ID_LIMIT} characters and no NUL, not {run[:80]!r}"
        )
    return run


def runs_of(events: Iterable[Event]) -> list[str]:
    """The ids of all runs whose rows the events touch, sorted, without repetition."""
    return sorted({run for run in map(run_of, events) if run is not None})


def range_id(event: TicksEvent) -> str:
    """Return the row id for a range of skipped or missed ticks.

    Every reporter of a range, at any time, gets an equal id.
    """
    return str(
        uuid5(
            _MISSED,
            f"{event.schedule_uid} {event.tick_from.timestamp()} {event.tick_to.timestamp()}",
        )
    )
