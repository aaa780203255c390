"""Find what a run has started."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

has_one = sa.text("parent IS NOT NULL")


def upgrade() -> None:
    """Build it."""
    op.create_index(
        "ix_runs_parent", "runs", ["parent", "key"], sqlite_where=has_one, postgresql_where=has_one
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_runs_parent", "runs")
