"""The living recorders, by their heartbeats in Redis."""

import json
from datetime import datetime, timedelta
from typing import Any, cast

from scheduler.services.services import Services
from scheduler.storage import keys

RECORDER_ALIVE_FOR = timedelta(seconds=15)


def recorders(services: Services, now: datetime) -> dict[str, Any]:
    """The heartbeats of living recorders, by name."""
    heartbeats = cast("dict[str, str]", services.redis.hgetall(keys.RECORDERS_HASH))
    decoded = {name: json.loads(text) for name, text in heartbeats.items()}
    return {
        name: facts
        for name, facts in decoded.items()
        if now - datetime.fromisoformat(facts["at"]) <= RECORDER_ALIVE_FOR
    }
