"""Outcomes of schedules by day, and their newest results."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

COUNTS = ("succeeded", "failed", "missed", "skipped", "other", "on_time", "late")


def upgrade() -> None:
    """Build it, and mark the days of the last month for the first roll-up."""
    op.create_table(
        "schedule_days",
        sa.Column("schedule_uid", sa.String(length=36), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
        sa.Column("median", sa.Float(), nullable=True),
        sa.Column("p95", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("schedule_uid", "day", name="pk_schedule_days"),
    )
    op.create_table(
        "schedule_results",
        sa.Column("schedule_uid", sa.String(length=36), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("schedule_uid", name="pk_schedule_results"),
    )
    op.create_table(
        "rollups_due",
        sa.Column("schedule_uid", sa.String(length=36), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("schedule_uid", "day", name="pk_rollups_due"),
    )
    op.create_index("ix_runs_schedule_day", "runs", ["schedule_uid", "first_at"])
    day = "CAST(first_at AT TIME ZONE 'UTC' AS DATE)"
    if op.get_bind().dialect.name == "sqlite":
        day = "substr(first_at, 1, 10)"
    runs = f"SELECT DISTINCT schedule_uid, {day}, 0 FROM runs WHERE schedule_uid IS NOT NULL"  # noqa: S608 - ours
    op.execute(f"INSERT INTO rollups_due (schedule_uid, day, mark) {runs}")


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_runs_schedule_day", "runs")
    for table in ("rollups_due", "schedule_results", "schedule_days"):
        op.drop_table(table)
