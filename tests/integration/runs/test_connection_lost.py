"""A worker loses its broker while a run ends: Celery says that the run comes back, though its end
is told already.
"""

from typing import Any

import pytest
from celery.app.task import Context
from redis import Redis

from scheduler.runs.lease_record import owner_text
from scheduler.services.services import Services
from scheduler.storage import keys
from scheduler.worker.signals import LOST_CONNECTION, RunSignals
from tests.support.runs.stream import Stream

RUN = "6f1c1a52-9d57-5f0e-8f5a-3d1de6a0c111"
OURS = {"beatdesk": {"schedule": "s", "schedule_uid": "u1"}}


class Job:
    """What a signal of Celery's calls its sender."""

    name = "tests.wait"


@pytest.fixture
def told(services: Services) -> RunSignals:
    """The receivers of a worker's main process."""
    return RunSignals(services.celery)


def comes_back(told: RunSignals, **headers: Any) -> None:
    """Celery cancels what it was at, as its message comes back by itself."""
    told.retried(
        sender=Job, request=Context({"id": RUN, "retries": 0, "hostname": "a@h", **headers})
    )


def test_a_run_that_has_ended_is_not_told_to_come_back(told: RunSignals, stream: Stream) -> None:
    comes_back(told, **OURS)
    assert stream.kinds(RUN) == []


def test_a_run_that_has_not_ended_is(told: RunSignals, stream: Stream, redis: Redis) -> None:
    redis.hset(keys.LEASE_OWNERS_HASH, RUN, owner_text("u1", "s"))
    comes_back(told, **OURS)
    assert stream.one(RUN, "run.retried").error == LOST_CONNECTION


def test_a_run_without_a_schedule_has_no_lease_to_ask_for(told: RunSignals, stream: Stream) -> None:
    comes_back(told)
    assert stream.kinds(RUN) == ["run.retried"]
