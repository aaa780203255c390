"""A store whose catalogue offers one job, and RedBeat's own scheduler on the same server."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from redbeat.schedulers import RedBeatScheduler, acquire_distributed_beat_lock

from scheduler.beat.stock.entry import install
from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from tests.support.builders import JOB, NOON


@pytest.fixture
def store(services: Services) -> ScheduleStore:
    """The store; workers offer the job of the builders."""
    offered = Job(name=JOB, parameters=[Parameter(name="days", required=False, annotation="int")])
    services.catalogue.publish(
        [offered], Worker(name="w", pid=1, host="h", at=NOON, jobs=[JOB]), NOON
    )
    return services.schedules


def leading_beat(services: Services) -> Iterator[RedBeatScheduler]:
    scheduler = RedBeatScheduler(services.celery)
    acquire_distributed_beat_lock(sender=SimpleNamespace(scheduler=scheduler))
    install(scheduler)
    yield scheduler
    scheduler.close()
