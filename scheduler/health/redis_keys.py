"""Whether Beatdesk's keys in Redis hold what Beatdesk has written there."""

from typing import TYPE_CHECKING

from scheduler.storage import key_types

if TYPE_CHECKING:
    from redis import Redis

REMEDY = (
    "See who wrote it and what it is (redis-cli TYPE KEY), and move it away: redis-cli RENAME KEY "
    "KEY:foreign. Beatdesk then writes its own again, and the recorder restores schedules from the "
    "history"
)


def fault_of(redis: "Redis") -> str | None:
    """Return which keys hold something of another type; None where all are right.

    Raises redis.RedisError.
    """
    found = key_types.misplaced(redis)
    return "; ".join(one.words for one in found) or None
