"""What is done about static entries (`beat_schedule`) when Beat starts, after RedBeat has written
them anew.

RedBeat gives each the due time that the code's rule has, so that those with a field of ours are
looked at once: the look gives them their own. And it takes away what the code has no more, with
everything that operators said of it. Must not change what anybody said of an entry.
"""

from typing import TYPE_CHECKING, cast

from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

AT_ONCE = 0.0
"""A due time that has passed: Beat looks at the entry, which sends nothing that is not due."""


def begin(redis: "Redis") -> None:
    """Let Beat look at each static entry that operators have said something of, and note that the
    code has spoken.
    """
    names = sorted(cast("set[str]", redis.smembers(keys.STATICS_SET)))
    entries = [keys.entry(name).encode("utf-8", "surrogateescape") for name in names]
    with redis.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.hexists(entry, keys.EXTRA_FIELD)
        has_ours = pipe.execute(raise_on_error=False)
    with redis.pipeline(transaction=True) as pipe:
        for entry, ours in zip(entries, has_ours, strict=True):
            if ours is True:
                pipe.zadd(keys.SCHEDULE_ZSET, {entry: AT_ONCE}, xx=True)
        pipe.set(keys.STATICS_PUBLISHED, "told")
        pipe.execute()


def has_spoken(redis: "Redis") -> bool:
    """Whether a Beat has told which static entries there are, in this Redis."""
    return bool(redis.exists(keys.STATICS_PUBLISHED, keys.STATICS_SET))
