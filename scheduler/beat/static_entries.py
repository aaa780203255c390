"""Static entries (`beat_schedule`): what the code says is written once this Beat leads, and only
where it differs.

A stand-by writes nothing: it may run older code than the leader. What operators said of an entry
stands beside the definition and is not touched; what the code has dropped goes, as in RedBeat.
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
    """What the code says of one entry. `listed` is not set for those that Celery adds by itself."""

    definition: str
    listed: bool = True


def set_up(
    redis: "Redis",
    leader: Leader,
    names: keys.Names,
    said: Mapping[str, StaticEntry],
    now: datetime,
) -> int:
    """Write the differences; how many there were. Raises LostLock, redis.RedisError."""
    known = cast("set[str]", set(redis.smembers(names.statics)))
    dropped = sorted(known - {name for name, spoken in said.items() if spoken.listed})
    differs = [name for name, is_same in _same(redis, names, said, known).items() if not is_same]
    if not dropped and not differs and redis.exists(keys.STATICS_PUBLISHED):
        return 0
    script = ServerScript(redis, __package__, "statics.lua")
    meta = encode_meta(Meta(now.replace(microsecond=0)))
    for begin in range(0, max(len(differs), 1), _AT_ONCE):
        gone = dropped if begin == 0 else []
        answer = script(
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
                        said[name].definition,
                        meta,
                        "1" if said[name].listed else "",
                    )
                ),
            ],
        )
        if answer == -1:
            raise LostLock
    log.info("beat: %d static entries are new or changed, %d are gone", len(differs), len(dropped))
    return len(differs) + len(dropped)


def _same(
    redis: "Redis", names: keys.Names, said: Mapping[str, StaticEntry], known: set[str]
) -> dict[str, bool]:
    """For each entry whether Redis has it as the code says it."""
    wanted = list(said)
    with redis.pipeline(transaction=False) as pipe:
        for name in wanted:
            pipe.execute_command(
                "HGET", names.prefix + name, keys.DEFINITION_FIELD, **{NEVER_DECODE: []}
            )  # type: ignore[no-untyped-call]
        for begin in range(0, len(wanted), _AT_ONCE):
            pipe.zmscore(
                names.schedule, [names.prefix + name for name in wanted[begin : begin + _AT_ONCE]]
            )
        answers = pipe.execute(raise_on_error=False)
    stored, parts = answers[: len(wanted)], answers[len(wanted) :]
    for part in parts:
        if isinstance(part, Exception):
            raise part
    scores = [score for part in parts for score in part]
    return {
        name: definition == said[name].definition.encode()
        and score is not None
        and (name in known or not said[name].listed)
        for name, definition, score in zip(wanted, stored, scores, strict=True)
    }
