"""The living recorders, by their heartbeats in Redis."""

from datetime import datetime, timedelta
from typing import Any, cast

from scheduler.services.services import Services
from scheduler.storage import keys, records

RECORDER_ALIVE_FOR = timedelta(seconds=15)


def recorders(services: Services, now: datetime) -> dict[str, Any]:
    """The heartbeats of living recorders, by name."""
    heartbeats = cast("dict[str, str]", services.redis.hgetall(keys.RECORDERS_HASH))
    alive: dict[str, Any] = {}
    for name, text in heartbeats.items():
        facts = records.object_in(text) or {}
        at = records.moment_in(facts.get("at"))
        if at is not None and now - at <= RECORDER_ALIVE_FOR:
            alive[name] = facts
    return alive
