"""How far a run is, and what it logged."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

big_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

PROGRESS: dict[str, Any] = {
    "progress_done": sa.Float(),
    "progress_total": sa.Float(),
    "progress_text": sa.String(length=255),
    "progress_stamp": sa.String(length=48),
}


def upgrade() -> None:
    """Build it."""
    for name, kind in PROGRESS.items():
        op.add_column("runs", sa.Column(name, kind, nullable=True))
    op.create_table(
        "run_logs",
        sa.Column("key", big_key, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("run_id", sa.String(length=128), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_run_logs"),
        sa.UniqueConstraint("id", name="uq_run_logs_id"),
    )
    op.create_index("ix_run_logs_run_id", "run_logs", ["run_id", "key"])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("run_logs")
    with op.batch_alter_table("runs") as runs:
        for name in PROGRESS:
            runs.drop_column(name)
