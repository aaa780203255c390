"""The tables. History is a fold of events; users, roles and reports stand beside it.

Times are stored in UTC. `key` is a growing integer, so that pages can be read by keyset.

A column `..._stamp` holds the rank of the event that gave the columns named with it
(`recording.stamps`), so that a replayed or late event never undoes a better one. Stamps have no
other meaning.

A test holds these classes and `migrations/` equal.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    Float,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.history import (
    access_models,  # noqa: F401 - its tables register here
    account_models,  # noqa: F401 - its tables register here
)
from scheduler.history.column_types import BigKey, NullJson, RunId, Stamp, UtcDateTime
from scheduler.history.table_registry import Base

HAS_PARENT = text("parent IS NOT NULL")
"""Most runs have no parent, and cost the index nothing."""


HAS_TREE = text("tree_state IS NOT NULL")
"""Few runs have children."""

OPEN = "-"
"""The `state_stamp` of an open span (`recording.open_spans`): any event's stamp is greater."""

IS_OPEN = text("state_stamp = '-'")
"""Few rows are open spans, and the others cost the index nothing."""


class Run(Base):
    """An execution, or a range of ticks that did not run (`tick_to`, `ticks`). Small columns only.

    `tree_state` is the verdict on a run with its children (`recording.trees`). `due_at` is set
    where jitter moved the start; else the tick itself is due.

    `state_stamp` ranks state, reason, finished_at and the details' result, error and traceback;
    `facts_stamp` the facts of the message; `worker_stamp` the worker; `progress_stamp` the
    progress.
    """

    __tablename__ = "runs"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(RunId, unique=True)
    job: Mapped[str] = mapped_column(String(255), default="")
    schedule: Mapped[str | None] = mapped_column(String(255))
    schedule_uid: Mapped[str | None] = mapped_column(String(36))
    revision: Mapped[int | None] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    tree_state: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    trigger: Mapped[str | None] = mapped_column(String(16))
    actor: Mapped[str | None] = mapped_column(String(255))
    queue: Mapped[str | None] = mapped_column(String(255))
    worker: Mapped[str | None] = mapped_column(String(255))
    parent: Mapped[str | None] = mapped_column(RunId)
    tick: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tick_to: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ticks: Mapped[int] = mapped_column(Integer, default=1)
    queued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lateness: Mapped[float | None] = mapped_column(Float)
    duration: Mapped[float | None] = mapped_column(Float)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state_stamp: Mapped[str] = mapped_column(Stamp)
    facts_stamp: Mapped[str | None] = mapped_column(Stamp)
    worker_stamp: Mapped[str | None] = mapped_column(Stamp)
    progress_done: Mapped[float | None] = mapped_column(Float)
    progress_total: Mapped[float | None] = mapped_column(Float)
    progress_text: Mapped[str | None] = mapped_column(String(255))
    progress_stamp: Mapped[str | None] = mapped_column(Stamp)

    __table_args__ = (
        Index("ix_runs_schedule_uid", "schedule_uid", "key"),
        Index("ix_runs_schedule", "schedule", "key"),
        Index("ix_runs_job", "job", "key"),
        Index("ix_runs_state", "state", "key"),
        Index("ix_runs_worker", "worker", "key"),
        Index("ix_runs_queue", "queue", "key"),
        Index("ix_runs_trigger", "trigger", "key"),
        Index("ix_runs_first_at", "first_at", "state"),
        Index("ix_runs_schedule_day", "schedule_uid", "first_at"),
        Index(
            "ix_runs_parent", "parent", "key", sqlite_where=HAS_PARENT, postgresql_where=HAS_PARENT
        ),
        Index(
            "ix_runs_tree_state",
            "tree_state",
            "key",
            sqlite_where=HAS_TREE,
            postgresql_where=HAS_TREE,
        ),
        Index("ix_runs_open", "id", sqlite_where=IS_OPEN, postgresql_where=IS_OPEN),
    )


class RunDetail(Base):
    """The large columns of a run."""

    __tablename__ = "run_details"

    run_id: Mapped[str] = mapped_column(RunId, primary_key=True)
    args: Mapped[Any] = mapped_column(NullJson, nullable=True)
    kwargs: Mapped[Any] = mapped_column(NullJson, nullable=True)
    result: Mapped[Any] = mapped_column(NullJson, nullable=True)
    error: Mapped[str | None] = mapped_column(Text)
    traceback: Mapped[str | None] = mapped_column(Text)


class Attempt(Base):
    """An attempt of a run."""

    __tablename__ = "attempts"

    run_id: Mapped[str] = mapped_column(RunId, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worker: Mapped[str | None] = mapped_column(String(255))
    error: Mapped[str | None] = mapped_column(Text)
    traceback: Mapped[str | None] = mapped_column(Text)
    state_stamp: Mapped[str] = mapped_column(Stamp)
    worker_stamp: Mapped[str | None] = mapped_column(Stamp)


class RunLog(Base):
    """Log lines of an attempt, as many as one event holds. `lines` are objects with `at`, `level`,
    `logger`, `text`.

    The row's `id` is derived from the whole event: an attempt that was delivered twice has logged
    twice.
    """

    __tablename__ = "run_logs"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    run_id: Mapped[str] = mapped_column(RunId)
    attempt: Mapped[int] = mapped_column(Integer)
    first: Mapped[int] = mapped_column(Integer)
    left_out: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    lines: Mapped[Any] = mapped_column(JSON)

    __table_args__ = (Index("ix_run_logs_run_id", "run_id", "key"),)


class Revision(Base):
    """A saved edit of a schedule, with who, when, why and the whole definition.

    The row's `id` is derived from the whole event: a Redis restored from a backup may give two
    edits one number, and the audit keeps both.
    """

    __tablename__ = "revisions"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    schedule_uid: Mapped[str] = mapped_column(String(36))
    revision: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(255))
    comment: Mapped[str] = mapped_column(Text, default="")
    definition: Mapped[Any] = mapped_column(JSON)

    __table_args__ = (Index("ix_revisions_schedule_uid", "schedule_uid", "key"),)


class CalendarRevision(Base):
    """A saved edit of an exclusion calendar, with who, when, why and the whole calendar, like
    `Revision`.
    """

    __tablename__ = "calendar_revisions"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    calendar_uid: Mapped[str] = mapped_column(String(36))
    revision: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(255))
    comment: Mapped[str] = mapped_column(Text, default="")
    definition: Mapped[Any] = mapped_column(JSON)

    __table_args__ = (Index("ix_calendar_revisions_calendar_uid", "calendar_uid", "key"),)


class DeadLetterChange(Base):
    """Dead letters that somebody retried or dropped, with who, when and why.

    `letters` are objects with `id`, `kind`, `about` and `error`; `name` sums them up. The row's
    `id` is derived from the whole event.
    """

    __tablename__ = "dead_letter_changes"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    action: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(255))
    comment: Mapped[str] = mapped_column(Text, default="")
    letters: Mapped[Any] = mapped_column(JSON)


class Outage(Base):
    """Who was away from when to when: Beat, workers, a recorder, or the readers of a queue.

    `ended_at` is NULL while it lasts. The row's `id` is derived from who was away since when.
    """

    __tablename__ = "outages"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    of: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(255))
    host: Mapped[str | None] = mapped_column(String(255))
    began_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    detail: Mapped[str] = mapped_column(String(255), default="")


class Fact(Base):
    """What holds from `at` on, and explains what became of a tick: the leading Beat, the workers
    with their queues, the length of a queue.
    """

    __tablename__ = "facts"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    of: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    value: Mapped[Any] = mapped_column(NullJson, nullable=True)

    __table_args__ = (Index("ix_facts_of", "of", "at"),)


class Report(Base):
    """A file that a job left, in the data folder's `reports/`."""

    __tablename__ = "reports"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    run_id: Mapped[str | None] = mapped_column(RunId)
    title: Mapped[str] = mapped_column(String(255))
    path: Mapped[str] = mapped_column(String(512))
    media_type: Mapped[str] = mapped_column(String(127))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    keep_until: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    stamp: Mapped[str] = mapped_column(Stamp)


class ScheduleDay(Base):
    """The outcomes of a schedule's ticks on a day in UTC, computed from `runs`: see
    `recording.rollup`. `median` and `p95` are durations of successful runs in seconds.
    """

    __tablename__ = "schedule_days"

    schedule_uid: Mapped[str] = mapped_column(String(36), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    succeeded: Mapped[int] = mapped_column(BigInteger)
    failed: Mapped[int] = mapped_column(BigInteger)
    missed: Mapped[int] = mapped_column(BigInteger)
    skipped: Mapped[int] = mapped_column(BigInteger)
    other: Mapped[int] = mapped_column(BigInteger)
    on_time: Mapped[int] = mapped_column(BigInteger)
    late: Mapped[int] = mapped_column(BigInteger)
    median: Mapped[float | None] = mapped_column(Float)
    p95: Mapped[float | None] = mapped_column(Float)


class ScheduleResults(Base):
    """The newest runs of a schedule, newest first, in short. `results` are lists of id, state, time
    in seconds since 1970, duration, lateness, ticks.
    """

    __tablename__ = "schedule_results"

    schedule_uid: Mapped[str] = mapped_column(String(36), primary_key=True)
    results: Mapped[Any] = mapped_column(JSON)


class RollupDue(Base):
    """A day of a schedule whose rows have changed since it was rolled up. Each batch that changes
    them writes another `mark`.
    """

    __tablename__ = "rollups_due"

    schedule_uid: Mapped[str] = mapped_column(String(36), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    mark: Mapped[int] = mapped_column(BigInteger)


class HistoryIdentity(Base):
    """The identity of this history, one row: see `history.identity`. `batches` counts the committed
    batches of all recorders.
    """

    __tablename__ = "history_identity"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    batches: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
