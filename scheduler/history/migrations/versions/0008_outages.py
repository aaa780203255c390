"""Outages, and the facts that explain what became of a tick."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

big_key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Build it."""
    op.create_table(
        "outages",
        sa.Column("key", big_key, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("of", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_outages"),
        sa.UniqueConstraint("id", name="uq_outages_id"),
    )
    op.create_index("ix_outages_began_at", "outages", ["began_at"])
    op.create_table(
        "facts",
        sa.Column("key", big_key, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("of", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_facts"),
        sa.UniqueConstraint("id", name="uq_facts_id"),
    )
    op.create_index("ix_facts_of", "facts", ["of", "at"])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("facts")
    op.drop_table("outages")
