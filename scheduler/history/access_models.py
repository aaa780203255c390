"""The tables of the access log: who logged in, made accounts and tokens, and took data out.

Rows are chained: each has the digest of the row before it in its own digest (`access_chain`).
"""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.history.column_types import BigKey, UtcDateTime
from scheduler.history.table_registry import Base


class AccessRow(Base):
    """A login, a change of an account or token, or an export. `number` counts the rows without a
    gap, and `digest` covers the row and the digest of the row before it.
    """

    __tablename__ = "access_log"

    key: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(64))
    detail: Mapped[str] = mapped_column(String(255))
    digest: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_access_log_kind", "kind", "number"),
        Index("ix_access_log_actor", "actor", "number"),
        Index("ix_access_log_subject", "subject", "number"),
        Index("ix_access_log_at", "at"),
    )


class AccessHead(Base):
    """The number and digest of the newest row of `access_log`, one row."""

    __tablename__ = "access_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
