"""The identity of the history, by which a recorder notices another one in its place."""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

from scheduler.clock import utc_now

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build it."""
    table = op.create_table(
        "history_identity",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("batches", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_history_identity"),
    )
    op.bulk_insert(table, [{"id": str(uuid4()), "batches": 0, "created_at": utc_now()}])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("history_identity")
