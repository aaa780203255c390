"""What follows from the settings."""

from pathlib import Path

import pytest

from scheduler.settings.schema import Settings


def test_history_is_sqlite_in_the_data_folder_unless_set() -> None:
    assert Settings(data_dir=Path("/srv/data")).database == "sqlite:////srv/data/history.sqlite3"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_gets_the_driver_that_we_ship(scheme: str) -> None:
    assert Settings(database_url=f"{scheme}://u@h/d").database == "postgresql+psycopg://u@h/d"


def test_the_broker_is_redis_unless_set() -> None:
    assert Settings(redis_url="redis://a/0").broker == "redis://a/0"
    assert Settings(redis_url="redis://a/0", broker_url="amqp://b").broker == "amqp://b"
