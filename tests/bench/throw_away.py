"""Services over a throw-away Redis server and a new history in SQLite."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from scheduler.history.schema_version import upgrade
from scheduler.services.services import Services
from scheduler.settings.schema import Settings


@contextmanager
def throw_away_services(redis_url: str) -> Iterator[Services]:
    """Yield the services; the server is emptied at the end. Exits where the server is not empty."""
    with TemporaryDirectory() as folder:
        services = Services(
            Settings(
                data_dir=Path(folder),
                redis_url=redis_url,
                database_url=f"sqlite:///{Path(folder) / 'history.sqlite3'}",
                secret_key="s" * 40,
            )
        )
        if services.redis.dbsize():
            sys.exit("the server holds something: give a throw-away one")
        upgrade(services.engine)
        try:
            yield services
        finally:
            services.redis.flushall()
            services.engine.dispose()
