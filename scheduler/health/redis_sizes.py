"""Sizes of Beatdesk's collections in Redis, each with a bound. Reads only.

A bound of None: the collection has an entry for each existing schedule, process or unfinished run,
and shrinks when schedules, processes and runs end; or its entries are dropped by their age.
"""

from typing import Any, NamedTuple

from redis import Redis

from scheduler.events.dead_letters import MOST_LETTERS
from scheduler.events.stream import MOST_NEWER
from scheduler.healing.notices import MOST as MOST_NOTICES
from scheduler.health.status import Part
from scheduler.rules.phrases import counted
from scheduler.services.services import Services
from scheduler.storage import keys

_ONE_MORE_NODE = 1.1
"""Tolerance over a bound: Redis trims streams by whole nodes, so a stream may be a little longer.
"""

_LENGTHS = {"STREAM": "XLEN", "ZSET": "ZCARD", "HASH": "HLEN", "LIST": "LLEN", "SET": "SCARD"}
"""The command for the length of each kind of collection."""

_COLLECTIONS = {
    key: _LENGTHS[kind]
    for name, key in vars(keys).items()
    if (kind := name.rpartition("_")[2]) in _LENGTHS
}
"""The command for each collection: the names of their keys end with the kind."""


class Size(NamedTuple):
    """A collection's number of entries, with the bound."""

    key: str
    entries: int
    bound: int | None

    @property
    def is_over(self) -> bool:
        """Whether the collection has outgrown the bound."""
        return self.bound is not None and self.entries > self.bound * _ONE_MORE_NODE


def sizes(redis: Redis, stream_limit: int) -> list[Size]:
    """Return the sizes of all collections, in one round trip. Raises redis.RedisError."""
    bounds = {
        keys.EVENTS_STREAM: stream_limit,
        keys.DEAD_LETTERS_STREAM: MOST_LETTERS,
        keys.NEWER_EVENTS_STREAM: MOST_NEWER,
        keys.NOTICES_LIST: MOST_NOTICES,
    }
    with redis.pipeline(transaction=False) as pipe:
        for key, command in _COLLECTIONS.items():
            pipe.execute_command(command, key)  # type: ignore[no-untyped-call]
        lengths: list[Any] = pipe.execute()
    return [
        Size(key, int(length), bounds.get(key))
        for key, length in zip(_COLLECTIONS, lengths, strict=True)
    ]


def redis_sizes(services: Services) -> Part:
    """Return whether every collection is within the bound. Raises redis.RedisError."""
    every = sizes(services.redis, services.settings.stream_limit)
    over = [size for size in every if size.is_over]
    filled = [size for size in every if size.entries]
    shown = ", ".join(f"{size.key} {size.entries}" + _of(size) for size in over or filled)
    remedy = (
        "See whether a recorder runs and SQL answers; `beatdesk dead-letters list` shows others"
    )
    return Part(
        name="redis sizes",
        ok=not over,
        summary=f"{counted(len(over), 'key is', 'keys are')} over the bound: {shown}"
        if over
        else shown or "nothing is stored",
        remedy=remedy if over else "",
        facts={size.key: {"entries": size.entries, "bound": size.bound} for size in every},
    )


def _of(size: Size) -> str:
    return "" if size.bound is None else f" of {size.bound}"
