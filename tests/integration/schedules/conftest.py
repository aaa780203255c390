"""A store whose catalogue knows one job, and RedBeat's own scheduler on the same server."""

from collections.abc import Iterator

import pytest
from redbeat.schedulers import RedBeatScheduler

from scheduler.services.services import Services
from tests.support.schedules.store import leading_beat, store

__all__ = ["beat", "store"]


@pytest.fixture
def beat(services: Services) -> Iterator[RedBeatScheduler]:
    """A stock RedBeat scheduler that leads, and reads our entries as Beat does when it starts with
    our app.
    """
    yield from leading_beat(services)
