"""A store, a recorder and a healer on real servers; a test says when each of them works."""

import pytest

from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from tests.support.builders import JOB
from tests.support.healing.house import House


@pytest.fixture
def house(services: Services) -> House:
    """Everything is well, and nothing is scheduled."""
    offered = Job(name=JOB, parameters=[Parameter(name="days", required=False, annotation="int")])
    services.catalogue.publish(
        [offered], Worker(name="w", pid=1, host="h", at=utc_now(), jobs=[JOB]), utc_now()
    )
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "r1")
    return House(services, recorder, services.healer())
