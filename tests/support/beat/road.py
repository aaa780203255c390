"""The road of a message through the outbox to a broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import uuid4

from redis import Redis

from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.celery_app.queues import DEFAULT
from scheduler.clock import utc_now
from scheduler.events.schema import RunEvent, decode
from scheduler.publishing.calls import Call
from scheduler.publishing.outbox import OutboxRenderer, backlog
from scheduler.publishing.relay import Relay
from scheduler.runs.lease_record import owner_text
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.rabbitmq import RabbitServer
from tests.support.valkey import ValkeyServer

TOKEN = "1:here:1:x"


class Road(NamedTuple):
    """A broker that is not the Redis of the schedules."""

    settings: Settings
    app: BeatdeskApp
    redis: Redis
    broker: RabbitServer | ValkeyServer

    def in_broker(self) -> int:
        """How many messages wait in the queue."""
        if isinstance(self.broker, RabbitServer):
            return self.broker.count(DEFAULT)
        with self.broker.client() as client:
            return int(client.llen(DEFAULT))

    def put(self, count: int, job: str = "tests.add", **arguments: Any) -> list[str]:
        """Put calls into the outbox, as the transaction does; their runs."""
        renderer = OutboxRenderer(self.app)
        runs = [str(uuid4()) for _ in range(count)]
        with self.redis.pipeline(transaction=True) as pipe:
            for run in runs:
                pipe.hset(
                    keys.LEASE_OWNERS_HASH, run, owner_text(run, "s")
                )  # as the transaction does
                pipe.zadd(keys.LEASES_ZSET, {run: 9e9})
                for command in renderer.render(call_of(run, job, **arguments), utc_now()).commands:
                    pipe.execute_command(*command)
            pipe.execute()
        return runs

    def relay(self, token: str = TOKEN) -> Relay:
        """A relay in this process, whose leader has the lock."""
        self.redis.set(keys.BEAT_LOCK, token)
        return Relay(self.app, self.redis, keys.BEAT_LOCK, token)

    def is_empty(self) -> bool:
        """Is everything published?"""
        return backlog(self.redis).entries == 0

    def events(self) -> list[RunEvent]:
        """The events of runs."""
        entries: Any = self.redis.xrange(keys.EVENTS_STREAM)
        return [event for _, fields in entries if isinstance(event := decode(fields), RunEvent)]


def call_of(
    run: str, job: str = "tests.add", args: list[Any] | None = None, **options: Any
) -> Call:
    """A call as our Beat makes it, for a run that a worker starts whatever has become of its
    schedule.
    """
    facts = {"schedule": "s", "schedule_uid": run, "revision": 1, "trigger": "manual"}
    headers = {"tick": "2026-11-21T06:00:00Z", "beatdesk": facts, "celery_beat_task": True}
    complete = {**options, "task_id": run, "headers": headers}
    return Call(job, [1] if args is None else args, {}, complete, run)


@contextmanager
def a_road(settings: Settings, redis: Redis, broker: Any) -> Iterator[Road]:
    """A road to this broker, with an app that knows its jobs."""
    app = create_app(settings)
    app.loader.import_default_modules()
    yield Road(settings, app, redis, broker)
    app.close()
