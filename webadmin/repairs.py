"""Repairs of the last hour, for the pages that list repairs."""

from datetime import datetime

from scheduler.healing.notices import Notice
from webadmin.refusals import while_away
from webadmin.services import services


@while_away([])
def healed(now: datetime) -> list[Notice]:
    """Return the repairs, newest first; empty while Redis is away."""
    return services().notices.recent(now)


def heals() -> bool:
    """Whether the settings enable the automatic repair of losses in Redis."""
    return services().settings.healing
