"""Accounts on SQLite; `test_on_both` repeats the journey on PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.support.fixtures import migrate, open_engine


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """An engine for a migrated SQLite file."""
    engine = open_engine(sqlite_url)
    migrate(engine)
    yield engine
    engine.dispose()
