"""The last runs of schedules, for pages that must load during an outage of SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from scheduler.history.queries.statistics import Result
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


@dataclass(frozen=True)
class LastResult:
    """A run as the list draws it; `at` is when it started, was queued or was due; `duration` is in
    seconds.
    """

    id: str
    state: str
    at: datetime | None
    duration: float | None


@dataclass(frozen=True)
class RecentResults:
    """Results by schedule id, newest first; `away` is True while the history is unavailable."""

    by_uid: Mapping[str, Sequence[LastResult]]
    away: bool = False


@while_away(RecentResults({}, away=True))
def last_results(uids: Sequence[str], count: int) -> RecentResults:
    """Return the last `count` results of each schedule, at most 60, by id.

    They are read together as the recorder gathered them. The runs themselves are read where one has
    changed since, within the last second usually, and where the newest was deleted for its age: the
    list links to it.
    """
    fresh = services().statistics.fresh_results(uids)
    existing = services().history.recorded([results[0].id for results in fresh.values()])
    found = {
        uid: [_of_result(result) for result in results[:count]]
        for uid, results in fresh.items()
        if results[0].id in existing
    }
    runs = services().history.last_runs([uid for uid in uids if uid not in found], count)
    return RecentResults(found | {uid: [_of_run(run) for run in of] for uid, of in runs.items()})


def _of_result(result: Result) -> LastResult:
    at = datetime.fromtimestamp(result.at, UTC)
    return LastResult(result.id, result.state, at, result.duration)


def _of_run(run: RunView) -> LastResult:
    at = run.started_at or run.queued_at or run.tick
    return LastResult(run.id, run.state, at, run.duration)
