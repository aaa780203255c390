"""Answers of the history: plain frozen data in the shapes of the published interface. No SQL."""

from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

from pydantic import AwareDatetime

from scheduler.events.schema import Trigger
from scheduler.rules.model.spec import Frozen

TRIGGERS: tuple[str, ...] = get_args(Trigger)


class RunFilter(Frozen):
    """A filter of runs; empty and None fields do not filter.

    `since` (inclusive) and `until` (exclusive) compare with the first event of a run. `search` is a
    part of the schedule's or job's name, in any case, or the beginning of the run's id.
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
    """An attempt of a run."""

    number: int
    started_at: datetime | None
    finished_at: datetime | None
    state: str
    error: str | None
    worker: str | None
    received_at: datetime | None = None
    traceback: str | None = None


class ChildView(Frozen):
    """A run started by another run, or a repetition of it, in short."""

    id: str
    job: str
    state: str


class RunView(Frozen):
    """A run. In lists the large fields (arguments, result, error, traceback, attempts, children)
    are empty, and so is `detail`.
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
    detail: str | None = None
    """Why the reason holds, in a sentence: the run that was in the way of one skipped for overlap.
    """

    blocker: str | None = None
    """The id of that run."""

    tree_state: str | None = None
    """The verdict on a run with its children; None without children."""


class RunPage(Frozen):
    """A page of runs, newest first; `next` is None on the last page."""

    items: list[RunView]
    next: str | None


class LogView(Frozen):
    """A log line of a run; a line with `left_out` above 0 stands for so many omitted lines, and has
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
    """A page of lines, oldest first. `next` is None on the last page; `last` is the place from
    which later lines can be read.

    `cut`: older lines than these exist.
    """

    items: list[LogView]
    next: str | None
    last: str | None
    cut: bool = False


class _Changed(Frozen):
    """The common fields of a change: what was done, when, by whom and why."""

    revision: int
    name: str
    action: str
    at: datetime
    actor: str
    comment: str


class RevisionView(_Changed):
    """A change of a schedule; `definition` is the whole schedule after the change (before a
    deletion).
    """

    schedule_uid: str
    definition: dict[str, Any]


class CalendarRevisionView(_Changed):
    """A change of an exclusion calendar; `definition` is the whole calendar after the change
    (before a deletion).
    """

    calendar_uid: str
    definition: dict[str, Any]


Changeable = Literal["schedule", "calendar", "dead_letter"]
CHANGED: tuple[str, ...] = get_args(Changeable)


class ChangeView(Frozen):
    """A change in the list of all changes: of a schedule, of an exclusion calendar, or of dead
    letters.

    Dead letters have no revision; `name` sums them up, and `letters` lists them.
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
    """A page of changes, newest first; `next` is None on the last page."""

    items: list[ChangeView]
    next: str | None


class RevisionPage(Frozen):
    """A page of revisions, newest first; `next` is None on the last page."""

    items: list[RevisionView]
    next: str | None


class Saved(NamedTuple):
    """A change of a schedule in short, for comparison with Redis. `saved_at` comes from the
    definition.
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
    """A page of reports, newest first; `next` is None on the last page."""

    items: list[ReportView]
    next: str | None
