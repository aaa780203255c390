"""Deliveries of a run's message: the questions that a worker asks before it begins.

1. Has the run ended, though its message was not acknowledged? Then the message is dropped.
2. Has another worker the run, and does that worker live? Then the message waits.
3. How many deliveries before this one did not end? Each that began was an attempt of its own, and
   a message that ends its workers again and again is given up.

The worker's lease is written in the same script. Where the broker is the Redis of the schedules,
the claiming transport asks all of it while it takes the message (`worker.transport`); elsewhere
`Deliveries.take` asks it at admission. An acknowledged message needs no memory: `Deliveries.settle`
forgets its end.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from scheduler.events import schema
from scheduler.events.schema import RunLost, run_event
from scheduler.runs import leases
from scheduler.runs.lease_record import worker_name
from scheduler.runs.own_header import HEADER, updated
from scheduler.storage import keys
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

_READ = ("id", "task", "retries", HEADER)
"""The headers that the script reads."""


class Delivery(NamedTuple):
    """One delivery of a run's message to a worker."""

    fate: Literal["start", "wait", "ended"]
    begun: int = 0
    """Earlier deliveries that began and did not end: attempts beside the retries."""

    unended: int = 0
    """Earlier deliveries that did not end, begun or not."""

    is_known: bool = False
    """Whether Redis had a record of the run before this delivery."""


class Settled(NamedTuple):
    """An acknowledged message of a run."""

    run: str
    retries: int


class Deliveries:
    """Deliveries of runs' messages, in Redis."""

    def __init__(self, redis: "Redis") -> None:
        self._take = redis.register_script(script_text(__package__, "take_run.lua"))
        self._settle = redis.register_script(script_text(__package__, "settle_runs.lua"))

    def take(self, headers: Mapping[str, Any], worker: str, now: datetime) -> Delivery:
        """Take the run of a message for a worker. Raises redis.RedisError.

        `headers` are the message's: they name the run, its job, its schedule and its retries.
        """
        reply: Any = self._take(
            keys=take_keys(),
            args=[
                json.dumps({name: headers.get(name) for name in _READ}, default=str),
                worker_name(worker),
                leases.HELD_SECONDS,
                keys.ALIVE_PREFIX,
                *lost_event(now),
            ],
        )
        fate, begun, unended, is_known = reply
        if fate != "start":
            return Delivery(fate)
        return Delivery("start", int(begun), int(unended), bool(is_known))

    def settle(self, settled: Iterable[Settled], worker: str) -> None:
        """Forget the ends of runs whose messages are acknowledged. Raises redis.RedisError."""
        parts = [part for one in settled for part in one]
        if parts:
            self._settle(
                keys=[
                    keys.LEASE_OWNERS_HASH,
                    keys.ENDED_ZSET,
                    keys.DELIVERIES_HASH,
                    keys.DELIVERIES_ZSET,
                ],
                args=[worker_name(worker), *parts],
            )


def take_keys() -> list[str]:
    """Keys of a script that takes a run: events, leases, and the deliveries' memory."""
    return [
        keys.EVENTS_STREAM,
        keys.LEASES_ZSET,
        keys.LEASE_OWNERS_HASH,
        keys.ENDED_ZSET,
        keys.DELIVERIES_HASH,
        keys.DELIVERIES_ZSET,
    ]


def lost_event(now: datetime) -> tuple[str, str, str]:
    """The event run.lost for a script: the field of the stream's entry, a pattern whose run,
    attempt and moment the script replaces, and the moment.
    """
    pattern = schema.encode(run_event(RunLost, "-", 1, now))[schema.FIELD]
    return schema.FIELD, pattern, now.isoformat()


def with_deliveries(headers: Mapping[str, Any], begun: int) -> dict[str, Any]:
    """Headers that tell the number of earlier deliveries that began; the same where there was none
    and none is told.
    """
    if not begun and "deliveries" not in (headers.get(HEADER) or {}):
        return cast("dict[str, Any]", headers)
    return updated(headers, deliveries=begun)
