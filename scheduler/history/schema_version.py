"""The migration step of a database, and the way to another step.

Works from an installed package and from any folder: alembic finds the steps inside the package.
`pyproject.toml` is read by the `alembic` command only. Two processes may upgrade at once: the
second waits, and finds nothing left to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, func, select

from scheduler.errors import BeatdeskError
from scheduler.history.engine import make_file, writing

_LOCK = 0xBEA7DE5C
"""PostgreSQL's advisory lock for migrations."""


class SchemaFromTheFuture(BeatdeskError):
    """The database was built by a newer Beatdesk."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to step `revision`; create a missing database.

    Raises SchemaFromTheFuture where the database is at an unknown step.
    """
    make_file(engine)
    with _migrating(engine) as config:
        command.upgrade(config, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the database back to step `revision`; `base` drops all tables."""
    with _migrating(engine) as config:
        command.downgrade(config, revision)


def current(engine: Engine) -> str | None:
    """The step of the database; None where there are no tables, or no file."""
    if not exists(engine):
        return None
    with engine.connect() as connection:
        return _current(connection)


def exists(engine: Engine) -> bool:
    """Whether there is a database: False for a missing SQLite file, True for every PostgreSQL."""
    path = engine.url.database if engine.dialect.name == "sqlite" else None
    return path is None or Path(path).exists()


@cache
def head() -> str:
    """The newest step of this version."""
    newest = _steps().get_current_head()
    if newest is None:
        raise BeatdeskError("the package has no migrations; install it again")
    return newest


def is_current(engine: Engine) -> bool:
    """Whether the database is at the newest step."""
    return current(engine) == head()


@contextmanager
def _migrating(engine: Engine) -> Iterator[Config]:
    """Alembic's configuration on a connection with the lock, in a single transaction."""
    with writing(engine).connect() as connection, _foreign_keys_off(connection), connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        _refuse_unknown(_current(connection))
        config = _config()
        config.attributes["connection"] = connection
        yield config


def _refuse_unknown(revision: str | None) -> None:
    if revision is not None and revision not in {
        step.revision for step in _steps().walk_revisions()
    }:
        raise SchemaFromTheFuture(
            f"the database is at step {revision!r}, which this version does not know: it was "
            "built by a newer Beatdesk; install that version, or restore a copy"
        )


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "scheduler.history:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _steps() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


@contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    """Switch SQLite's foreign keys off during a migration.

    SQLite changes a table by copying and dropping the table, and the drop must not delete rows that
    refer to the table. The switch works outside of transactions only, and so is set on the driver's
    connection.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")
