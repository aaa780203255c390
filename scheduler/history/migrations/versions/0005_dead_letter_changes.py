"""Who retried or dropped which dead letters."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

big_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Build it."""
    op.create_table(
        "dead_letter_changes",
        sa.Column("key", big_key, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("letters", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_dead_letter_changes"),
        sa.UniqueConstraint("id", name="uq_dead_letter_changes_id"),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("dead_letter_changes")
