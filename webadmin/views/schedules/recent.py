"""The last runs of schedules, for pages that must load during an outage of SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheduler.history.queries.views import RunView
from webadmin.refusals import while_away
from webadmin.services import services


@dataclass(frozen=True)
class Recent:
    """Runs by schedule id, newest first; `away` is True while the history is unavailable."""

    by_uid: Mapping[str, Sequence[RunView]]
    away: bool = False


@while_away(Recent({}, away=True))
def last_runs(uids: Sequence[str], count: int) -> Recent:
    """Return the last `count` runs of each schedule, by id."""
    return Recent(services().history.last_runs(uids, count))
