"""What lies in Redis: entries, due times, messages, events."""

import json
from typing import Any

from celery.schedules import crontab
from redbeat import RedBeatSchedulerEntry
from redis import Redis

from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.events.schema import Event, decode
from scheduler.redbeat import codec
from scheduler.redbeat.codec import Meta
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import JOB


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


def raw(services: Services, name: str = "nightly-report") -> dict[str, str]:
    """The fields of an entry."""
    return services.redis.hgetall(keys.entry(name))


def reads(redis: Redis) -> int:
    """How many entries were read until now."""
    stats: Any = redis.info("commandstats")
    return int(stats.get("cmdstat_hmget", {"calls": 0})["calls"])


def memory(redis: Redis, name: str) -> Meta:
    return codec.decode_meta(redis.hget(keys.entry(name), "meta"))
