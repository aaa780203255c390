"""What was repaired in the last hour, for the pages that tell it."""

from datetime import datetime

from scheduler.healing.notices import Notice
from webadmin.refusals import while_away
from webadmin.services import services


@while_away([])
def healed(now: datetime) -> list[Notice]:
    """The repairs, newest first; none where Redis does not answer, which the page says by
    itself.
    """
    return services().notices.recent(now)


def heals() -> bool:
    """Whether what Redis loses is put back by itself, as the settings say."""
    return services().settings.healing
