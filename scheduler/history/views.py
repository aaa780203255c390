"""What the history answers with: plain frozen data in the shapes of the published interface. No
SQL, no words.
"""

from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

from pydantic import AwareDatetime

from scheduler.events.schema import Trigger
from scheduler.rules.model.spec import Frozen

TRIGGERS: tuple[str, ...] = get_args(Trigger)


class RunFilter(Frozen):
    """Which runs are wanted; what is none or empty does not matter.

    `since` (inclusive) and `until` (exclusive) are about the moment a run was first heard of.
    `search` is a part of the schedule's or the job's name, in any case, or the beginning of the
    run's id.
    """

    schedule: str | None = None
    schedule_uid: str | None = None
    job: str | None = None
    state: str | None = None
    worker: str | None = None
    queue: str | None = None
    trigger: str | None = None
    parent: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    search: str | None = None


class AttemptView(Frozen):
    """One try of a run."""

    number: int
    started_at: datetime | None
    finished_at: datetime | None
    state: str
    error: str | None
    worker: str | None
    received_at: datetime | None = None
    traceback: str | None = None


class ChildView(Frozen):
    """A run that another one has started, or that repeats it, in short."""

    id: str
    job: str
    state: str


class RunView(Frozen):
    """A run. In lists the large parts (arguments, result, error, traceback, attempts, children) are
    left empty.
    """

    id: str
    schedule: str | None
    schedule_uid: str | None
    revision: int | None
    job: str
    trigger: str | None
    actor: str | None
    state: str
    reason: str | None
    tick: datetime | None
    queued_at: datetime | None
    received_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    lateness: float | None
    duration: float | None
    worker: str | None
    queue: str | None
    args: Any = None
    kwargs: Any = None
    result: Any = None
    error: str | None = None
    traceback: str | None = None
    attempts: list[AttemptView] = []
    parent: str | None = None
    children: list[ChildView] = []
    tick_to: datetime | None = None
    ticks: int = 1
    progress_done: float | None = None
    progress_total: float | None = None
    progress_text: str | None = None


class RunPage(Frozen):
    """Some runs, newest first; `next` goes on, none at the end."""

    items: list[RunView]
    next: str | None


class LogView(Frozen):
    """A line that a run has logged; `left_out` lines were not kept where it stands, and then it has
    no level.
    """

    at: datetime
    attempt: int
    number: int
    level: str = ""
    logger: str = ""
    text: str
    left_out: int = 0


class LogPage(Frozen):
    """Some lines, oldest first. `next` goes on, none at the end; `last` asks later for what has
    come since.

    `cut`: there are older ones than these.
    """

    items: list[LogView]
    next: str | None
    last: str | None
    cut: bool = False


class _Changed(Frozen):
    """What was done to something that is edited, when, by whom and why."""

    revision: int
    name: str
    action: str
    at: datetime
    actor: str
    comment: str


class RevisionView(_Changed):
    """One change of a schedule; `definition` is the whole schedule after it (before it, where it
    was deleted).
    """

    schedule_uid: str
    definition: dict[str, Any]


class CalendarRevisionView(_Changed):
    """One change of an exclusion calendar; `definition` is the whole calendar after it (before it,
    where deleted).
    """

    calendar_uid: str
    definition: dict[str, Any]


Changeable = Literal["schedule", "calendar", "dead_letter"]
CHANGED: tuple[str, ...] = get_args(Changeable)


class ChangeView(Frozen):
    """One change in the list of all: of a schedule, of an exclusion calendar, or what was done with
    dead letters.

    Dead letters have no revision; their `name` says what they were about, and `letters` which they
    were.
    """

    revision: int | None = None
    name: str
    action: str
    at: datetime
    actor: str
    comment: str
    of: Changeable
    letters: list[dict[str, Any]] = []


class ChangePage(Frozen):
    """Some changes, newest first; `next` goes on, none at the end."""

    items: list[ChangeView]
    next: str | None


class RevisionPage(Frozen):
    """Some changes, newest first."""

    items: list[RevisionView]
    next: str | None


class Saved(NamedTuple):
    """A change of a schedule in short: what is compared with Redis. `saved_at` stands in the
    definition itself.
    """

    key: int
    uid: str
    name: str
    revision: int
    action: str
    at: datetime
    saved_at: datetime | None
    origin: str | None = None


class ReportView(Frozen):
    """A file that a job left; `path` is relative to the reports folder."""

    id: str
    run_id: str | None
    title: str
    path: str
    media_type: str
    size: int
    sha256: str
    created_at: datetime
    keep_until: datetime | None


class ReportPage(Frozen):
    """Some reports, newest first."""

    items: list[ReportView]
    next: str | None
