"""The last runs of schedules, for pages that must load while SQL is away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from scheduler.errors import Unavailable
from scheduler.history.queries import RunView
from webadmin.services import services


@dataclass(frozen=True)
class Recent:
    """Runs by schedule id, newest first; `away` says that the history did not answer."""

    by_uid: Mapping[str, Sequence[RunView]]
    away: bool = False


def last_runs(uids: Sequence[str], count: int) -> Recent:
    """The last `count` runs of each."""
    try:
        return Recent(services().history.last_runs(uids, count))
    except (SQLAlchemyError, Unavailable):
        return Recent({}, away=True)
