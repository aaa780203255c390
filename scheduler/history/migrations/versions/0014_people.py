"""Sessions, links that set a password, tokens for programs, and rights by tag."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _user(*, nullable: bool = False) -> sa.Column[int]:
    return sa.Column("user_id", sa.Integer(), nullable=nullable)


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["users.id"], name=f"fk_{table}_user_id", ondelete="CASCADE"
    )


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Build it."""
    op.add_column("users", _moment("login_at", nullable=True))
    op.add_column("users", sa.Column("timezone", sa.String(length=64), nullable=True))
    _create_tag_rights()
    _create_sessions()
    _create_password_links()
    _create_tokens()


def _create_tag_rights() -> None:
    op.create_table(
        "tag_rights",
        _user(),
        sa.Column("tag", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        _of_user("tag_rights"),
        sa.PrimaryKeyConstraint("user_id", "tag", name="pk_tag_rights"),
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        _user(),
        _moment("created_at"),
        _moment("used_at"),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=255), nullable=False),
        _of_user("sessions"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])


def _create_password_links() -> None:
    op.create_table(
        "password_links",
        sa.Column("digest", sa.String(length=64), nullable=False),
        _user(),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        _moment("created_at"),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        _moment("expires_at"),
        _of_user("password_links"),
        sa.PrimaryKeyConstraint("digest", name="pk_password_links"),
    )
    op.create_index("ix_password_links_user_id", "password_links", ["user_id"])


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        _user(nullable=True),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("tag", sa.String(length=255), nullable=True),
        _moment("created_at"),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
        _moment("revoked_at", nullable=True),
        _of_user("tokens"),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_index("ix_tokens_user_id", "tokens", ["user_id"])


def downgrade() -> None:
    """Take it back."""
    for table in ("tokens", "password_links", "sessions", "tag_rights"):
        op.drop_table(table)
    with op.batch_alter_table("users") as users:
        users.drop_column("timezone")
        users.drop_column("login_at")
