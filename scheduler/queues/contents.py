"""The runs whose messages are with a Redis broker: in a queue, or taken by a worker.

A message may move during a look. So a look reads first the messages that workers have taken, then
each list from the new end to the old one, and then the taken messages and the old ends again: a
message that a worker takes meanwhile, or that comes back to the old end of a queue, is found at one
of the two places. A message that moves several times within a look may be missed; therefore a
verdict takes two looks.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from scheduler.celery_app import internals
from scheduler.storage.scripts import ServerScript

if TYPE_CHECKING:
    from redis import Redis

PART = 500
"""Messages that one step reads: a few milliseconds of the server's time."""

_NOT_QUEUES = (b"beatdesk:", b"_kombu.", b"redbeat:")


class Contents(NamedTuple):
    """Messages found by a look: the runs' ids, and the number of waiting messages by queue."""

    runs: frozenset[str]
    waiting: dict[str, int]


class QueueReader:
    """Reader of the broker's queues, by the broker's own client. Methods raise RedisError."""

    def __init__(self, client: "Redis") -> None:
        self._client = client
        self._layout = internals.redis_layout()
        self._list_runs = ServerScript(client, __package__, "list_runs.lua")
        self._taken_runs = ServerScript(client, __package__, "taken_runs.lua")

    def read(self, queues: Iterable[str]) -> Contents:
        """Return all runs with a message in one of the `queues`, or with a worker."""
        runs = set(self._taken())
        waiting = {}
        for queue in queues:
            waiting[queue] = 0
            for key in lists_of(queue):
                listed = list(self._listed(key))
                waiting[queue] += len(listed)
                runs.update(listed)
        runs.update(self._taken())
        for queue in waiting:
            for key in lists_of(queue):
                runs.update(self._part(key, -PART))
        runs.discard("")
        return Contents(frozenset(runs), waiting)

    def other_queues(self, queues: Iterable[str]) -> list[str]:
        """Return lists of the database that may be further queues: a retry may name any queue."""
        read = {key.encode() for queue in queues for key in lists_of(queue)}
        found: Any = self._client.scan_iter(count=1000, _type="list")
        texts = {key if isinstance(key, bytes) else str(key).encode() for key in found}
        return sorted(
            key.decode("utf-8", "surrogateescape")
            for key in texts - read
            if not key.startswith(_NOT_QUEUES)
        )

    def _listed(self, key: str) -> Iterator[str]:
        start = 0
        while True:
            part = self._part(key, start)
            yield from part
            if len(part) < PART:
                return
            start += PART

    def _part(self, key: str, start: int) -> list[str]:
        reply: Any = self._list_runs([key.encode("utf-8", "surrogateescape")], [start, PART])
        return [_text(run) for run in reply]

    def _taken(self) -> Iterator[str]:
        cursor = b"0"
        while True:
            reply: Any = self._taken_runs([self._layout.unacked], [cursor, PART])
            cursor, *runs = reply
            yield from map(_text, runs)
            if cursor == b"0":
                return


def lists_of(queue: str) -> list[str]:
    """Return the keys of a queue's lists, one for each priority, the first to be taken first."""
    layout = internals.redis_layout()
    return [
        f"{queue}{layout.separator}{priority}" if priority else queue
        for priority in layout.priorities
    ]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
