"""Find the runs of a worker, of a queue and of a trigger, and find that there are none."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS = ("worker", "queue", "trigger")


def upgrade() -> None:
    """Build it."""
    for column in COLUMNS:
        op.create_index(f"ix_runs_{column}", "runs", [column, "key"])


def downgrade() -> None:
    """Take it back."""
    for column in COLUMNS:
        op.drop_index(f"ix_runs_{column}", "runs")
