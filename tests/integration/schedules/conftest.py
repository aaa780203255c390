"""A store whose catalogue knows one job, and RedBeat's own scheduler on the same server."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.schedules import crontab
from redbeat import RedBeatSchedulerEntry
from redbeat.schedulers import RedBeatScheduler, acquire_distributed_beat_lock
from redis import Redis

from scheduler.beat.stock.entry import install
from scheduler.catalogue.catalogue import Job, Parameter, Worker
from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.events.schema import Event, decode
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import NOON

JOB = "reports.job_summary"


@pytest.fixture
def store(services: Services) -> ScheduleStore:
    """The store; workers offer the job of the builders."""
    offered = Job(name=JOB, parameters=[Parameter(name="days", required=False, annotation="int")])
    services.catalogue.publish(
        [offered], Worker(name="w", pid=1, host="h", at=NOON, jobs=[JOB]), NOON
    )
    return services.schedules


@pytest.fixture
def beat(services: Services) -> Iterator[RedBeatScheduler]:
    """A stock RedBeat scheduler that leads, and reads our entries as Beat does when it starts with
    our app.
    """
    yield from leading_beat(services)


def leading_beat(services: Services) -> Iterator[RedBeatScheduler]:
    scheduler = RedBeatScheduler(services.celery)
    acquire_distributed_beat_lock(sender=SimpleNamespace(scheduler=scheduler))
    install(scheduler)
    yield scheduler
    scheduler.close()


def events(redis: Redis) -> list[Event]:
    """The facts in the stream, oldest first."""
    return [decode(fields) for _, fields in redis.xrange(keys.EVENTS_STREAM)]


def messages(redis: Redis, queue: str | None = None) -> list[dict[str, Any]]:
    """The messages in a queue, oldest first; in all of ours where none is named.

    Which of ours a job goes to depends on whether some test of this process has imported it.
    """
    queues = [queue] if queue is not None else [*QUEUES, CELERYS_QUEUE]
    return [json.loads(text) for name in queues for text in reversed(redis.lrange(name, 0, -1))]


def score(redis: Redis, name: str) -> float | None:
    """When Beat is to look at an entry."""
    return redis.zscore(keys.SCHEDULE_ZSET, keys.entry(name))


def plain(services: Services, name: str = "plain", **parts: Any) -> RedBeatSchedulerEntry:
    """An entry that plain RedBeat code saves."""
    parts.setdefault("schedule", crontab("0", "6"))
    return RedBeatSchedulerEntry(name, parts.pop("task", JOB), app=services.celery, **parts).save()
