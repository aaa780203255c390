"""Alembic's environment. The connection comes from `history.schema_version`, or, on the command
line, from `-x url=...`. Settings are not read, so that nobody migrates a database by accident.
"""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection

from scheduler.errors import Refused
from scheduler.history import models  # noqa: F401 - all tables register with Base
from scheduler.history.column_types import UtcDateTime
from scheduler.history.engine import create_engine, make_file, writing
from scheduler.history.table_registry import Base


def migrate(connection: Connection) -> None:
    """Run the steps in the transaction of the connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_server_default=True,
        render_item=_in_plain_types,
    )
    with context.begin_transaction():
        context.run_migrations()


def _in_plain_types(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """The text of our own column types in a new step: plain SQLAlchemy types."""
    return (
        "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False
    )


def main() -> None:
    """Migrate on the connection of `schema_version`, or on a new one."""
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not isinstance(url, str):
        raise Refused(
            "alembic was not told which database: give -x url=sqlite:////path/history.sqlite3"
        )
    engine = writing(create_engine(url))
    make_file(engine)
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()


main()
