"""Cancelled runs and the actors who cancelled them, in Redis for a week.

Celery's revoke is a broadcast: it reaches only workers that listen at the moment, and stays in
their memory. So workers also read this list at the start and with each heartbeat, and the event
`run.revoked` takes the actor from here. An entry outlives the event, because the message of a
cancelled run may come back after the death of a worker.

The cost of a cancellation does not grow with the number of earlier cancellations.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis

from scheduler.storage import keys, records
from scheduler.storage.lua import script_text

RETENTION = timedelta(days=7)

STEP = 50
"""Old entries that each cancellation deletes, or gives a time."""

UNKNOWN = "unknown"
"""The actor of a cancellation whose note cannot be read."""

MOST = 10_000
"""Greatest number of runs that `since` returns."""


class Cancellations:
    """The cancelled runs: a hash run id -> actor and moment, and a sorted set by moment."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._record = redis.register_script(script_text(__package__, "cancel.lua"))

    def record(self, run: str, actor: str, now: datetime) -> None:
        """Record that `actor` cancels a run, and delete some entries older than `RETENTION`."""
        self.record_many([run], actor, now)

    def record_many(self, runs: Sequence[str], actor: str, now: datetime) -> None:
        """Record that `actor` cancels all of `runs`, in one round trip."""
        note = json.dumps({"actor": actor, "at": now.isoformat()})
        self._record(
            keys=[keys.CANCELLED_HASH, keys.CANCELLED_ZSET],
            args=[
                f"{now.timestamp():.6f}",
                RETENTION.total_seconds(),
                STEP,
                *(text for run in runs for text in (run, note)),
            ],
        )

    def runs(self) -> list[str]:
        """Ids of the cancelled runs."""
        return cast("list[str]", self._redis.hkeys(keys.CANCELLED_HASH))

    def since(self, moment: datetime) -> list[str]:
        """Ids of the runs cancelled at `moment` or later, at most `MOST`."""
        found: Any = self._redis.zrangebyscore(
            keys.CANCELLED_ZSET, moment.timestamp(), "+inf", start=0, num=MOST
        )
        return list(found)

    def actor(self, run: str) -> str | None:
        """Return the actor who cancelled a run; None for a run without a cancellation."""
        return self.actors([run]).get(run)

    def actors(self, runs: Sequence[str]) -> dict[str, str]:
        """Actors of the cancelled runs among `runs`, by run id."""
        notes: Any = self._redis.hmget(keys.CANCELLED_HASH, runs) if runs else []
        return {run: actor_of(note) for run, note in zip(runs, notes, strict=True) if note}


def actor_of(note: str) -> str:
    """Return the actor in the note of a cancellation; UNKNOWN for a note not by Beatdesk."""
    return records.text_in((records.object_in(note) or {}).get("actor")) or UNKNOWN
