"""Queues with waiting messages and without a worker of Beatdesk as reader, noted by the recorder.

The notes are made with each message audit, and are valid for `VALID`: without a recorder no unread
queue is known. A queue counts after `AFTER` without a reader: workers need some seconds to start.
"""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler.rules.phrases import counted
from scheduler.storage import keys, records

if TYPE_CHECKING:
    from redis import Redis

AFTER = timedelta(minutes=1)
VALID = timedelta(minutes=5)


class UnreadQueue(NamedTuple):
    """A queue without a reader: the beginning of that state, and the number of waiting messages."""

    name: str
    since: datetime
    waiting: int

    @property
    def words(self) -> str:
        """The queue in a sentence."""
        runs = counted(self.waiting, "run waits", "runs wait")
        return (
            f"no worker reads the queue {self.name!r}, in which {runs} "
            f"(since {self.since:%Y-%m-%d %H:%M:%S} UTC)"
        )


class UnreadQueues:
    """The notes in Redis. Methods raise redis.RedisError."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def record(self, waiting: Mapping[str, int], read: Collection[str], now: datetime) -> None:
        """Note the queues of `waiting` (messages by queue) not in `read`; forget all others."""
        before = {queue.name: queue.since for queue in self._noted(now)}
        notes: dict[Any, Any] = {
            name: _note(UnreadQueue(name, before.get(name, now), count), now)
            for name, count in waiting.items()
            if count and name not in read
        }
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(keys.UNREAD_HASH)
            if notes:
                pipe.hset(keys.UNREAD_HASH, mapping=notes)
                pipe.expire(keys.UNREAD_HASH, VALID)
            pipe.execute()

    def current(self, now: datetime) -> list[UnreadQueue]:
        """Return the queues without a reader for at least `AFTER`, by name."""
        return [queue for queue in self._noted(now) if now - queue.since >= AFTER]

    def _noted(self, now: datetime) -> list[UnreadQueue]:
        notes: Any = self._redis.hgetall(keys.UNREAD_HASH)
        read = (queue_of(name, note) for name, note in sorted(notes.items()))
        return [
            found.queue for found in read if found is not None and now - found.noted_at <= VALID
        ]


class NotedQueue(NamedTuple):
    """A queue in a note, and the moment of the note."""

    queue: UnreadQueue
    noted_at: datetime


def queue_of(name: str, note: str) -> NotedQueue | None:
    """Return the queue in a note; None for a text not written by Beatdesk."""
    read = records.object_in(note) or {}
    since, noted_at = (records.moment_in(read.get(part)) for part in ("since", "at"))
    waiting = records.count_in(read.get("waiting"))
    if since is None or noted_at is None or waiting is None:
        return None
    return NotedQueue(UnreadQueue(name, since, waiting), noted_at)


def unread_sentence(queue: str, noted: UnreadQueue | None) -> str:
    """Return the sentence for operators about a schedule whose queue has no reader."""
    waits = f"; {counted(noted.waiting, 'run')} of all schedules in it" if noted is not None else ""
    return (
        f"no worker reads the queue {queue!r}: runs wait there until one is started with "
        f"-Q {queue}{waits}"
    )


def _note(queue: UnreadQueue, now: datetime) -> str:
    return json.dumps(
        {"since": queue.since.isoformat(), "waiting": queue.waiting, "at": now.isoformat()}
    )
