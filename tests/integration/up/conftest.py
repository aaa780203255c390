"""A running house for the tests that only look, and an empty one for those that break things."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.up.house import House


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that runs while the tests of a module look at it."""
    house = House(
        tmp_path_factory.mktemp("house"),
        BEATDESK_WEB_PORT=str(free_port()),
        BEATDESK_BEAT_LOCK_TIMEOUT="3",
    )
    try:
        house.start()
        yield house
    finally:
        house.end()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty folder."""
    house = House(tmp_path, BEATDESK_WEB_PORT=str(free_port()), BEATDESK_WORKER_CONCURRENCY="1")
    try:
        yield house
    finally:
        house.end()
