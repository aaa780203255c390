"""`pause_after_failures` for workflows whose runs succeed while parts of the workflow fail.

A worker counts the failures of runs at their end (`runs.leases`). The failure of a part of a
workflow is decided later, and recorded in the history, so that the watcher counts there. Only ticks
since the last change of the schedule count: a resumed schedule has all tries again.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING

from scheduler.errors import NotFound, Refused, UnreadableEntry
from scheduler.history.queries.views import RunView
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.run_states import RunGroup, is_without_run, values_in
from scheduler.rules.model.spec import Schedule
from scheduler.rules.policies.window import is_paused

if TYPE_CHECKING:
    from scheduler.history.queries.history import History
    from scheduler.schedules.operations import Operations
    from scheduler.schedules.store import ScheduleStore

log = logging.getLogger(__name__)

PAUSER = "pause_after_failures"
MOST_TREES = 50
"""Most failed workflows considered in a look; all failures of a schedule count once."""

_FAILED = frozenset(values_in(RunGroup.FAILED))
_EXTRA_ROWS = 50
"""Rows read beyond the counted runs, since ticks without a run stand in between."""


class FailingTrees:
    """Pauses schedules whose workflows have failed too often in a row."""

    def __init__(
        self, history: "History", schedules: "ScheduleStore", operations: "Operations"
    ) -> None:
        self._history = history
        self._schedules = schedules
        self._operations = operations
        self._judged: set[str] = set()
        """The ids of the failed workflows at the last look."""

    def look(self, now: datetime) -> list[str]:
        """Pause schedules that failed too often. Returns the names of the paused schedules."""
        failed = self._history.failed_trees(MOST_TREES)
        new = {run.schedule_uid: run.schedule for run in failed if run.id not in self._judged}
        paused = [name for uid, name in new.items() if uid and name and self._pause(name, uid, now)]
        # Only now: an outage in between must not leave a workflow judged and its schedule running.
        self._judged = {run.id for run in failed}
        return paused

    def _pause(self, name: str, uid: str, now: datetime) -> bool:
        try:
            schedule = self._schedules.get(name)
            most = schedule.policies.pause_after_failures
            if most is None or schedule.uid != uid or is_paused(schedule, now):
                return False
            runs = self._history.last_runs([uid], most + _EXTRA_ROWS).get(uid, [])
            if not has_failed_too_often(schedule, runs):
                return False
            reason = f"{most} ticks in a row failed"
            self._operations.pause(name, reason=reason, edit=Edit(actor=PAUSER, now=now))
        except (NotFound, Refused, UnreadableEntry) as error:
            log.warning("%s is not paused after failures: %s", name, error)
            return False
        log.error("%s is paused: %s", name, reason)
        return True


def has_failed_too_often(schedule: Schedule, runs: list[RunView]) -> bool:
    """Whether the newest ticks have failed as often in a row as the policy allows.

    Only ticks since the schedule's last change count. `runs` are the newest runs of the schedule
    with the verdicts on their trees, newest first.
    """
    most = schedule.policies.pause_after_failures
    if most is None:
        return False
    since = schedule.updated_at
    counted = [
        run.state
        for run in runs
        if run.trigger == "schedule"
        and not is_without_run(run.state)
        and run.finished_at is not None
        and (since is None or run.tick is None or run.tick > since)
    ]
    return len(counted) >= most and all(state in _FAILED for state in counted[:most])
