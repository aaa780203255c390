"""The verdict on a run with its children."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

failed_trees = sa.text("tree_state IS NOT NULL")


def upgrade() -> None:
    """Build it."""
    op.add_column("runs", sa.Column("tree_state", sa.String(length=16), nullable=True))
    op.create_index(
        "ix_runs_tree_state",
        "runs",
        ["tree_state", "key"],
        sqlite_where=failed_trees,
        postgresql_where=failed_trees,
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_runs_tree_state", table_name="runs")
    op.drop_column("runs", "tree_state")
