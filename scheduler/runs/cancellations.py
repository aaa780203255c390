"""Who asked for which run's end, kept in Redis for a week.

Celery's revoke is a broadcast: it reaches the workers that listen at that moment and lives in their
memory. This list is what workers read when they start, and what tells the `revoked` event who it
was. It outlives the event, because the message of a cancelled run may come back when its worker
dies.
"""

import json
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from scheduler.storage import keys

KEPT = timedelta(days=7)


class Cancellations:
    """The list, as a hash: run -> who and when."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def ask(self, run: str, actor: str, now: datetime) -> None:
        """Write down that `actor` wants the run's end, and forget what is long past."""
        old = [known for known, (_, at) in self._all().items() if at < now - KEPT]
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(keys.CANCELLED_HASH, run, json.dumps({"actor": actor, "at": now.isoformat()}))
            if old:
                pipe.hdel(keys.CANCELLED_HASH, *old)
            pipe.execute()

    def runs(self) -> list[str]:
        """Every run whose end was asked for."""
        return list(self._all())

    def actor(self, run: str) -> str | None:
        """Who asked for this run's end, if anybody did so here."""
        raw = cast("str | None", self._redis.hget(keys.CANCELLED_HASH, run))
        return None if raw is None else _read(raw)[0]

    def _all(self) -> dict[str, tuple[str, datetime]]:
        raw = cast("dict[str, str]", self._redis.hgetall(keys.CANCELLED_HASH))
        return {run: _read(value) for run, value in raw.items()}


def _read(raw: str) -> tuple[str, datetime]:
    said: dict[str, Any] = json.loads(raw)
    return str(said["actor"]), datetime.fromisoformat(said["at"])
