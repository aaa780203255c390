"""An index of the rows that still grow: the ticks of a pause, for instance."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

is_open = sa.text("state_stamp = '-'")


def upgrade() -> None:
    """Build it."""
    op.create_index("ix_runs_open", "runs", ["id"], sqlite_where=is_open, postgresql_where=is_open)


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_runs_open", table_name="runs")
