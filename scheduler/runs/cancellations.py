"""Cancelled runs and their actors, in Redis for a week.

Celery's revoke is a broadcast: it reaches the workers that listen at the moment, and lives in their
memory. Workers read this list when they start, and the event `run.revoked` takes its actor from
here. An entry outlives the event, because the message of a cancelled run may come back when its
worker dies.
"""

import json
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from scheduler.storage import keys

RETENTION = timedelta(days=7)


class Cancellations:
    """The cancelled runs, as a Redis hash: run id -> actor and moment."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def record(self, run: str, actor: str, now: datetime) -> None:
        """Record that `actor` cancels a run, and delete entries older than `RETENTION`."""
        old = [other for other, (_, at) in self._all().items() if at < now - RETENTION]
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(keys.CANCELLED_HASH, run, json.dumps({"actor": actor, "at": now.isoformat()}))
            if old:
                pipe.hdel(keys.CANCELLED_HASH, *old)
            pipe.execute()

    def runs(self) -> list[str]:
        """Ids of the cancelled runs."""
        return list(self._all())

    def actor(self, run: str) -> str | None:
        """Actor who cancelled a run; None for a run that is not in the list."""
        raw = cast("str | None", self._redis.hget(keys.CANCELLED_HASH, run))
        return None if raw is None else _read(raw)[0]

    def _all(self) -> dict[str, tuple[str, datetime]]:
        raw = cast("dict[str, str]", self._redis.hgetall(keys.CANCELLED_HASH))
        return {run: _read(value) for run, value in raw.items()}


def _read(raw: str) -> tuple[str, datetime]:
    record: dict[str, Any] = json.loads(raw)
    return str(record["actor"]), datetime.fromisoformat(record["at"])
