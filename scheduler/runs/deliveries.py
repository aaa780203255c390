"""Deliveries of a run's message: the questions that a worker asks before beginning with the run.

1. Has the run ended, though the message was not acknowledged? Then the message is dropped.
2. Does another living worker have the run? Then the message waits.
3. How many earlier deliveries did not end? Each delivery that began was an attempt of its own, and
   a message that ends its workers again and again is given up.

The worker's lease is written in the same script. Where the broker is the Redis of the schedules,
the claiming transport asks all three questions while taking the message (`worker.transport`);
elsewhere `Deliveries.take` asks at admission. An acknowledged message needs no memory:
`Deliveries.settle` forgets the end of the run.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from scheduler.events import schema
from scheduler.events.schema import RunLost, run_event
from scheduler.runs import leases
from scheduler.runs.lease_record import worker_name
from scheduler.runs.own_header import HEADER, raw_parts, updated
from scheduler.storage import keys
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

_READ = ("id", "task", "retries", HEADER)
"""Headers that the script reads."""


class Delivery(NamedTuple):
    """A single delivery of a run's message to a worker."""

    fate: Literal["start", "wait", "ended"]
    begun: int = 0
    """Earlier deliveries that began and did not end: attempts beside the retries."""

    unended: int = 0
    """Earlier deliveries without an end, begun or not."""

    is_known: bool = False
    """Whether Redis had a record of the run before the delivery."""


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

        `headers` are the message's, with the run, the job, the schedule and the retries.
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
    """Return the keys of a script that takes a run: events, leases, and memory of deliveries."""
    return [
        keys.EVENTS_STREAM,
        keys.LEASES_ZSET,
        keys.LEASE_OWNERS_HASH,
        keys.ENDED_ZSET,
        keys.DELIVERIES_HASH,
        keys.DELIVERIES_ZSET,
    ]


def lost_event(now: datetime) -> tuple[str, str, str]:
    """Return the event run.lost for a script.

    In order: the field of the stream's entry, a pattern in which the script replaces run, attempt
    and moment, and the moment.
    """
    pattern = schema.encode(run_event(RunLost, "-", 1, now))[schema.FIELD]
    return schema.FIELD, pattern, now.isoformat()


def with_deliveries(headers: Mapping[str, Any], begun: int) -> dict[str, Any]:
    """Return the headers with the number of earlier deliveries that began.

    Unchanged where the number is 0 and the headers have no such number.
    """
    if not begun and "deliveries" not in raw_parts(headers):
        return cast("dict[str, Any]", headers)
    return updated(headers, deliveries=begun)
