"""Our scheduler class on a real server, in the test's own process where one turn at a time is to be
seen.
"""

from collections.abc import Iterator

import pytest

from scheduler.beat import Scheduler
from scheduler.services.services import Services
from tests.support.beat.ours import our_beat
from tests.support.schedules.store import store  # noqa: F401 - the same store, with the same job


@pytest.fixture
def beat(services: Services) -> Iterator[Scheduler]:
    """A Beat of ours that leads after its first turn."""
    scheduler = our_beat(services)
    yield scheduler
    scheduler.close()
