"""Static entries (`beat_schedule`): differences from Redis are written by the leading Beat.

A stand-by writes nothing, since its code may be older than the leader's. An operator's override
stands beside the definition and is not touched; entries removed from the code are removed from
Redis, as in RedBeat.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, cast

from redis.client import NEVER_DECODE

from scheduler.beat.leader import Leader, LostLock
from scheduler.redbeat.codec import Meta, encode_meta
from scheduler.storage import keys
from scheduler.storage.entry_fields import as_stored
from scheduler.storage.scripts import ServerScript

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

_AT_ONCE = 500


class StaticEntry(NamedTuple):
    """An entry of the code, its definition as stored by RedBeat. `listed` is False for entries that
    Celery adds by itself.
    """

    definition: str
    listed: bool = True


def set_up(
    redis: "Redis",
    leader: Leader,
    names: keys.Names,
    entries: Mapping[str, StaticEntry],
    now: datetime,
) -> int:
    """Write new and changed entries of the code, and remove entries dropped from the code.

    Returns the number of differences. Raises LostLock, redis.RedisError.
    """
    stored_names = cast("set[str]", set(redis.smembers(names.statics)))
    dropped = sorted(stored_names - {name for name, entry in entries.items() if entry.listed})
    differs = [
        name for name, is_same in _same(redis, names, entries, stored_names).items() if not is_same
    ]
    if not dropped and not differs and redis.exists(keys.STATICS_PUBLISHED):
        return 0
    script = ServerScript(redis, __package__, "statics.lua")
    meta = encode_meta(Meta(now.replace(microsecond=0)))
    for begin in range(0, max(len(differs), 1), _AT_ONCE):
        gone = dropped if begin == 0 else []
        reply = script(
            [names.lock, names.schedule, names.statics, keys.STATICS_PUBLISHED],
            [
                leader.token or "",
                repr(now.timestamp()),
                len(gone),
                *(
                    part
                    for name in gone
                    for part in (as_stored(names.prefix + name), as_stored(name))
                ),
                *(
                    part
                    for name in differs[begin : begin + _AT_ONCE]
                    for part in (
                        as_stored(names.prefix + name),
                        as_stored(name),
                        entries[name].definition,
                        meta,
                        "1" if entries[name].listed else "",
                    )
                ),
            ],
        )
        if reply == -1:
            raise LostLock
    log.info("beat: %d static entries are new or changed, %d are gone", len(differs), len(dropped))
    return len(differs) + len(dropped)


def _same(
    redis: "Redis", names: keys.Names, entries: Mapping[str, StaticEntry], stored_names: set[str]
) -> dict[str, bool]:
    """Whether Redis and the code agree on each entry, by name."""
    wanted = list(entries)
    with redis.pipeline(transaction=False) as pipe:
        for name in wanted:
            pipe.execute_command(
                "HGET", names.prefix + name, keys.DEFINITION_FIELD, **{NEVER_DECODE: []}
            )  # type: ignore[no-untyped-call]
        for begin in range(0, len(wanted), _AT_ONCE):
            pipe.zmscore(
                names.schedule, [names.prefix + name for name in wanted[begin : begin + _AT_ONCE]]
            )
        replies = pipe.execute(raise_on_error=False)
    stored, parts = replies[: len(wanted)], replies[len(wanted) :]
    for part in parts:
        if isinstance(part, Exception):
            raise part
    scores = [score for part in parts for score in part]
    return {
        name: definition == entries[name].definition.encode()
        and score is not None
        and (name in stored_names or not entries[name].listed)
        for name, definition, score in zip(wanted, stored, scores, strict=True)
    }
