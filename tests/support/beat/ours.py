"""Our scheduler class in the test's own process, and what happens to it."""

import json

import pytest
from redis import Redis

from scheduler.beat import Scheduler
from scheduler.beat.planner import Planner
from scheduler.events.schema import RunQueued
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.schedules.contents import events

OUR_BEAT = "scheduler.beat.Scheduler"


def our_beat(services: Services) -> Scheduler:
    """A Beat that has not begun to lead; a turn of its loop lasts no longer than what it does."""
    return Scheduler(services.celery, max_interval=0.001)


def queued(redis: Redis) -> list[str]:
    return [event.run for event in events(redis) if isinstance(event, RunQueued)]


def between_read_and_transaction(monkeypatch: pytest.MonkeyPatch, change: object) -> None:
    """Let `change` happen once Beat has planned, and before it carries out."""
    writes = Planner.entry_writes

    def planned(self: Planner, *args: object) -> object:
        made = writes(self, *args)
        change()
        return made

    monkeypatch.setattr(Planner, "entry_writes", planned)


REFUSED: dict[str, object] = {"countdown": "soon"}
"""Options that RedBeat loads and Celery does not take."""


def spoil(redis: Redis, name: str, options: dict[str, object]) -> str:
    """Give an entry options, past its revision; the definition as it was."""
    before = redis.hget(keys.entry(name), "definition")
    redis.hset(
        keys.entry(name), "definition", json.dumps(json.loads(before) | {"options": options})
    )
    return str(before)
