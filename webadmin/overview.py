"""What the overview says of many runs: whose attention is needed, and why. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.history.queries.views import RunView
from scheduler.rules.model.run_states import RunGroup, RunState, values_in
from scheduler.rules.phrases import counted

DAY = timedelta(hours=24)
TROUBLE = values_in(RunGroup.FAILED, RunGroup.LATE)
"""States that somebody should look at."""


@dataclass(frozen=True)
class Need:
    """Runs of one schedule (or of one job without a schedule) that went wrong in the same way."""

    title: str
    schedule: str | None
    state: str
    times: int
    newest: RunView
    at: datetime
    recovered: bool

    @property
    def words(self) -> str:
        """How often, and whether it still is so."""
        often = "Once" if self.times == 1 else counted(self.times, "time")
        return f"{often}, succeeded since" if self.recovered else often


def needs(
    runs: Iterable[RunView], last: Mapping[str, Sequence[RunView]], now: datetime, most: int = 8
) -> list[Need]:
    """The trouble of the last day, what is still wrong first, then the newest first.

    `runs` are newest first for each state; `last` has the newest runs of each schedule that is
    named in them.
    """
    groups: dict[tuple[str, str], list[RunView]] = {}
    for run in runs:
        if run.state in TROUBLE and now - moment_of(run, now) <= DAY:
            groups.setdefault((run.schedule_uid or run.job, run.state), []).append(run)
    found = [_need(group, last, now) for group in groups.values()]
    return sorted(found, key=lambda need: (need.recovered, now - need.at))[:most]


def moment_of(run: RunView, now: datetime) -> datetime:
    """When the run ended, or the last thing that is known of it."""
    return run.finished_at or run.started_at or run.queued_at or run.tick_to or run.tick or now


def _need(group: Sequence[RunView], last: Mapping[str, Sequence[RunView]], now: datetime) -> Need:
    newest = max(group, key=lambda run: moment_of(run, now))
    at = moment_of(newest, now)
    since = last.get(newest.schedule_uid or "", ())
    return Need(
        title=newest.schedule or newest.job,
        schedule=newest.schedule,
        state=newest.state,
        times=sum(run.ticks for run in group),
        newest=newest,
        at=at,
        recovered=any(
            run.state == RunState.SUCCEEDED and moment_of(run, now) > at for run in since
        ),
    )
