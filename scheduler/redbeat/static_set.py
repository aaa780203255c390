"""Static entries (of `beat_schedule`) at the start of stock RedBeat's Beat. Changes no definition.

At its start, RedBeat rewrites all static entries, and sets due times by the code's rules. An entry
with an extra field may have another rule, so Beat must read the entry at once and compute the due
time again. RedBeat also deletes entries dropped from the code, with their extra fields.
"""

from typing import TYPE_CHECKING, cast

from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

AT_ONCE = 0.0
"""A due time in the past: Beat reads the entry at once; only due ticks are sent."""


def begin(redis: "Redis") -> None:
    """Make static entries with an extra field due at once, and record the publishing of statics.

    Raises redis.RedisError.
    """
    names = sorted(cast("set[str]", redis.smembers(keys.STATICS_SET)))
    entries = [keys.entry(name).encode("utf-8", "surrogateescape") for name in names]
    with redis.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.hexists(entry, keys.EXTRA_FIELD)
        replies = pipe.execute(raise_on_error=False)
    with redis.pipeline(transaction=True) as pipe:
        for entry, has_extra in zip(entries, replies, strict=True):
            if has_extra is True:  # an exception where the key is not a hash
                pipe.zadd(keys.SCHEDULE_ZSET, {entry: AT_ONCE}, xx=True)
        pipe.set(keys.STATICS_PUBLISHED, "told")
        pipe.execute()


def is_published(redis: "Redis") -> bool:
    """Return whether a Beat has published the names of the static entries in this Redis.

    Only then, a missing static entry was dropped by the code, and not lost. Raises
    redis.RedisError.
    """
    return bool(redis.exists(keys.STATICS_PUBLISHED, keys.STATICS_SET))
