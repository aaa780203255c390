"""Revisions of exclusion calendars."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

big_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Build it."""
    op.create_table(
        "calendar_revisions",
        sa.Column("key", big_key, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("calendar_uid", sa.String(length=36), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_calendar_revisions"),
        sa.UniqueConstraint("id", name="uq_calendar_revisions_id"),
    )
    op.create_index(
        "ix_calendar_revisions_calendar_uid", "calendar_revisions", ["calendar_uid", "key"]
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("calendar_revisions")
