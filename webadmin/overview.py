"""The overview's summary of runs: schedules in need of attention, with the reason. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.history.queries.views import RunView
from scheduler.rules.model.run_states import RunGroup, RunState, values_in
from scheduler.rules.phrases import counted

DAY = timedelta(hours=24)
TROUBLE = values_in(RunGroup.FAILED, RunGroup.LATE)
"""States of runs in need of attention."""


@dataclass(frozen=True)
class Need:
    """Runs of one schedule (or of one job without a schedule) with one bad outcome in common."""

    title: str
    schedule: str | None
    state: str
    times: int
    newest: RunView
    at: datetime
    recovered: bool

    @property
    def words(self) -> str:
        """Return the number of bad runs, and whether a later run succeeded."""
        often = "Once" if self.times == 1 else counted(self.times, "time")
        return f"{often}, succeeded since" if self.recovered else often


def needs(
    runs: Iterable[RunView], last: Mapping[str, Sequence[RunView]], now: datetime, most: int = 8
) -> list[Need]:
    """Return the trouble of the last day: open problems first, then the newest first.

    `runs` are newest first within each state; `last` has the newest runs of each schedule in
    `runs`, by schedule id. At most `most` entries.
    """
    groups: dict[tuple[str, str], list[RunView]] = {}
    for run in runs:
        if run.state in TROUBLE and now - moment_of(run, now) <= DAY:
            groups.setdefault((run.schedule_uid or run.job, run.state), []).append(run)
    found = [_need(group, last, now) for group in groups.values()]
    return sorted(found, key=lambda need: (need.recovered, now - need.at))[:most]


def moment_of(run: RunView, now: datetime) -> datetime:
    """Return the end of the run, or the latest earlier moment in its record."""
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
