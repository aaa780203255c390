"""The access log: logins, changes of accounts and tokens, and exports, in chained rows."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

big_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Build it."""
    op.create_table(
        "access_log",
        sa.Column("key", big_key, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_access_log"),
        sa.UniqueConstraint("id", name="uq_access_log_id"),
        sa.UniqueConstraint("number", name="uq_access_log_number"),
    )
    for column in ("kind", "actor", "subject"):
        op.create_index(f"ix_access_log_{column}", "access_log", [column, "number"])
    op.create_index("ix_access_log_at", "access_log", ["at"])
    op.create_table(
        "access_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_access_head"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("access_head")
    op.drop_table("access_log")
