"""The access events that wait in the stream."""

import json
from typing import Any

from scheduler.services.services import Services
from scheduler.storage import keys


def access_events(services: Services) -> list[dict[str, Any]]:
    """The access events, oldest first, as objects with their fields."""
    entries: Any = services.redis.xrange(keys.EVENTS_STREAM)
    events = [json.loads(next(iter(fields.values()))) for _, fields in entries]
    return [event for event in events if event["kind"].startswith("access.")]
