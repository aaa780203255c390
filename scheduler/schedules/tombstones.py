"""Deleted schedules as Redis remembers them: id and revision of the deletion, for 90 days.

Written by the scripts that delete (`storage/tombstone.lua`).
"""

from typing import TYPE_CHECKING, cast

from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis


def tombstones(redis: "Redis") -> dict[str, int]:
    """Revisions with which schedules were deleted, by the schedule's uid. Raises
    redis.RedisError.
    """
    revisions = cast("dict[str, str]", redis.hgetall(keys.TOMBSTONES_HASH))
    return {uid: int(revision) for uid, revision in revisions.items() if revision.isdecimal()}
