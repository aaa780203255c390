"""THE tables. History is a fold of events; users, roles and reports stand beside it.

Times are stored in UTC. `key` is a growing integer, so that pages of runs can be read by keyset.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite has no zone, so that naive values are read back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive values; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone cannot be stored: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the value its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BigKey = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """The registry of Beatdesk's tables."""


class Run(Base):
    """One execution, or one range of ticks that nobody ran (`tick_to`, `ticks`). Small columns only.

    `state_seq`, `state_at`, `worker_seq`, `worker_at` are the sequence and time that the state and the worker
    come from, so that a replayed or late event never undoes a newer one.
    """

    __tablename__ = "runs"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(64), unique=True)
    job: Mapped[str] = mapped_column(String(255), default="")
    schedule: Mapped[str | None] = mapped_column(String(255))
    schedule_uid: Mapped[str | None] = mapped_column(String(36))
    revision: Mapped[int | None] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    state_seq: Mapped[int] = mapped_column(Integer, default=0)
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    trigger: Mapped[str | None] = mapped_column(String(16))
    actor: Mapped[str | None] = mapped_column(String(255))
    queue: Mapped[str | None] = mapped_column(String(255))
    worker: Mapped[str | None] = mapped_column(String(255))
    worker_seq: Mapped[int] = mapped_column(Integer, default=-1)
    worker_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    parent: Mapped[str | None] = mapped_column(String(64))
    tick: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tick_to: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ticks: Mapped[int] = mapped_column(Integer, default=1)
    queued_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lateness: Mapped[float | None] = mapped_column(Float)
    duration: Mapped[float | None] = mapped_column(Float)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_runs_schedule", "schedule_uid", "key"),
        Index("ix_runs_job", "job", "key"),
        Index("ix_runs_state", "state", "key"),
        Index("ix_runs_first_at", "first_at"),
    )


class RunDetail(Base):
    """The large columns of a run."""

    __tablename__ = "run_details"

    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    args: Mapped[Any] = mapped_column(JSON, nullable=True)
    kwargs: Mapped[Any] = mapped_column(JSON, nullable=True)
    result: Mapped[Any] = mapped_column(JSON, nullable=True)
    error: Mapped[str | None] = mapped_column(Text)
    traceback: Mapped[str | None] = mapped_column(Text)


class Attempt(Base):
    """One try of a run."""

    __tablename__ = "attempts"

    run_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    state_seq: Mapped[int] = mapped_column(Integer, default=0)
    state_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    worker: Mapped[str | None] = mapped_column(String(255))
    error: Mapped[str | None] = mapped_column(Text)
    traceback: Mapped[str | None] = mapped_column(Text)


class Revision(Base):
    """One saved edit of a schedule, with who, when, why and the whole definition."""

    __tablename__ = "revisions"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    schedule_uid: Mapped[str] = mapped_column(String(36))
    revision: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(255))
    comment: Mapped[str] = mapped_column(Text, default="")
    definition: Mapped[Any] = mapped_column(JSON)

    __table_args__ = (UniqueConstraint("schedule_uid", "revision", name="uq_revisions_schedule_revision"),)


class Report(Base):
    """A file that a job left, in the data folder's `reports/`."""

    __tablename__ = "reports"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    run_id: Mapped[str | None] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(255))
    path: Mapped[str] = mapped_column(String(512))
    media_type: Mapped[str] = mapped_column(String(127))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    keep_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class UserRole(Base):
    """Who has which role."""

    __tablename__ = "users_roles"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"), primary_key=True)


class Role(Base):
    """viewer (sees), operator (edits, runs, cancels), admin (deletes, users)."""

    __tablename__ = "roles"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    description: Mapped[str | None] = mapped_column(String(255))


class User(Base):
    """Who may log in. `password` is an argon2id hash; `fs_uniquifier` changes to end all sessions."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    roles: Mapped[list[Role]] = relationship(secondary="users_roles", lazy="selectin")
