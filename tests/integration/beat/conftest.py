"""Our scheduler class on a real server, in the test's own process where one turn at a time is to be
seen.
"""

from collections.abc import Iterator

import pytest

from scheduler.beat import Scheduler
from scheduler.services.services import Services
from tests.integration.schedules.conftest import store  # noqa: F401 - the same store, with the same job

OURS = "scheduler.beat.Scheduler"


def our_beat(services: Services) -> Scheduler:
    """A Beat that has not begun to lead; a turn of its loop lasts no longer than what it does."""
    return Scheduler(services.celery, max_interval=0.001)


@pytest.fixture
def beat(services: Services) -> Iterator[Scheduler]:
    """A Beat of ours that leads after its first turn."""
    scheduler = our_beat(services)
    yield scheduler
    scheduler.close()
