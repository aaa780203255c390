"""What was repaired in the last hour, for the pages that tell it."""

from datetime import datetime

from redis.exceptions import RedisError

from scheduler.healing.notices import Notice
from webadmin.services import services


def healed(now: datetime) -> list[Notice]:
    """The repairs, newest first; none where Redis does not answer, which the page says by
    itself.
    """
    try:
        return services().notices.recent(now)
    except RedisError:
        return []


def heals() -> bool:
    """Whether what Redis loses is put back by itself, as the settings say."""
    return services().settings.healing
