"""Deletes old history in batches, each in a transaction of its own.

So the recorder waits for a fraction of a second. The caller decides what is deleted. Runs that have
not ended are never deleted, however old: an operator should see them, and the next event would
restore half a row.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, delete, func, select

from scheduler.errors import Refused
from scheduler.history.engine import writing
from scheduler.history.models import Attempt, Report, Run, RunDetail, RunLog
from scheduler.history.queries.views import ReportView
from scheduler.rules.model.run_states import FINAL, STATES


@dataclass(frozen=True)
class Selected:
    """A selection of runs first recorded before `cutoff`.

    `states` restricts the final states, `schedule` the schedule; None restricts nothing. Runs of
    `exempt` schedules are left out.
    """

    cutoff: datetime
    states: Collection[str] | None = None
    schedule: str | None = None
    exempt: Collection[str] = ()


class BatchSize:
    """The number of runs of the next batch, adapted so that a batch takes about `seconds`."""

    def __init__(self, first: int = 100, seconds: float = 0.04, most: int = 5000) -> None:
        self.runs = first
        self.took = 0.0
        self._seconds = seconds
        self._most = most

    def adapt(self, took: float) -> None:
        """Adapt to the measured seconds of the last batch, to twice as many runs at most.

        The wait for SQLite's write lock is not measured: nobody waits for the batch then.
        """
        self.took = took
        share = min(2.0, max(0.25, self._seconds / max(took, 1e-4)))
        self.runs = min(self._most, max(10, int(self.runs * share)))


def delete_runs_before(
    engine: Engine,
    cutoff: datetime,
    batch: int = 500,
    states: Collection[str] | None = None,
    schedule: str | None = None,
) -> Iterator[int]:
    """Delete ended runs first recorded before `cutoff`, with attempts, logs and details.

    Yields the number of runs of each batch. `states` restricts the final states, `schedule` the
    name of the schedule. Raises Refused for a batch below 1 and for states that are not final.
    """
    if batch < 1:
        raise Refused(f"batch: {batch} is not 1 or more", field="batch")
    yield from delete_runs(engine, Selected(cutoff, states, schedule), batch)


def delete_runs(
    engine: Engine,
    selected: Selected,
    batch: int | BatchSize,
    before_delete: Callable[[Connection, list[str]], object] | None = None,
) -> Iterator[int]:
    """Delete the selected runs, oldest first, with attempts, logs and details.

    Yields the number of runs of each batch. `batch` is a number of runs, or adapts the number to
    the time taken by a batch. `before_delete` is called with the ids of each batch inside the
    transaction of the batch; an error raised there ends the deletion, and the batch stays.
    """
    since: datetime | None = None
    while True:
        limit = batch if isinstance(batch, int) else batch.runs
        with writing(engine).begin() as connection:
            began = monotonic()
            doomed = connection.execute(_oldest(selected, since, limit)).all()
            runs = [row.id for row in doomed]
            if runs and before_delete is not None:
                before_delete(connection, runs)
            connection.execute(delete(Attempt).where(Attempt.run_id.in_(runs)))
            connection.execute(delete(RunLog).where(RunLog.run_id.in_(runs)))
            connection.execute(delete(RunDetail).where(RunDetail.run_id.in_(runs)))
            connection.execute(delete(Run).where(Run.key.in_([row.key for row in doomed])))
        if isinstance(batch, BatchSize):
            batch.adapt(monotonic() - began)
        if doomed:
            yield len(doomed)
            since = doomed[-1].first_at
        if len(doomed) < limit:
            return


def _oldest(selected: Selected, since: datetime | None, limit: int) -> Select[Any]:
    """Return the oldest selected runs, from `since` on, so that no earlier row is read again.

    Rows locked by a recorder are left for the next time; SQLite has no row locks.
    """
    columns: list[Any] = [Run.key, Run.id, Run.first_at]
    oldest = select(*columns).where(*_deletable_runs(selected))
    if since is not None:
        oldest = oldest.where(Run.first_at >= since)
    return oldest.order_by(Run.first_at).limit(limit).with_for_update(skip_locked=True)


def count_runs_before(
    engine: Engine,
    cutoff: datetime,
    states: Collection[str] | None = None,
    schedule: str | None = None,
) -> int:
    """Return the number of runs that `delete_runs_before` would delete."""
    counted = (
        select(func.count())
        .select_from(Run)
        .where(*_deletable_runs(Selected(cutoff, states, schedule)))
    )
    with engine.connect() as connection:
        return connection.execute(counted).scalar_one()


def expired_reports(engine: Engine, now: datetime, batch: int = 500) -> list[ReportView]:
    """Return reports whose time ended before `now`, oldest first, at most `batch`.

    Remove the files of the reports, then call `delete_reports`. After a crash in between, a row
    without a file is left, and the next pass finds the row again. In the other order, a file
    without a row would stay.
    """
    columns = [getattr(Report, name) for name in ReportView.model_fields]
    expired = (
        select(*columns).where(Report.keep_until <= now).order_by(Report.keep_until).limit(batch)
    )
    with engine.connect() as connection:
        return [ReportView(**row._mapping) for row in connection.execute(expired)]


def delete_reports(engine: Engine, ids: Sequence[str]) -> int:
    """Delete the rows of reports. Returns how many there were."""
    with writing(engine).begin() as connection:
        return connection.execute(delete(Report).where(Report.id.in_(list(ids)))).rowcount


def _deletable_runs(selected: Selected) -> list[ColumnElement[bool]]:
    """Return the condition of the runs that may be deleted."""
    # Not the bare column: SQLite would collect all ended runs for each batch instead of beginning
    # at the oldest.
    conditions: list[ColumnElement[bool]] = [
        Run.first_at < selected.cutoff,
        func.coalesce(Run.state, "").in_(_deletable_states(selected.states)),
    ]
    if selected.schedule is not None:
        conditions.append(Run.schedule == selected.schedule)
    if selected.exempt:
        conditions.append(func.coalesce(Run.schedule, "").not_in(list(selected.exempt)))
    return conditions


def _deletable_states(states: Collection[str] | None) -> list[str]:
    """Return the states of deletable runs. Raises Refused for states that are not final."""
    if states is None:
        return sorted(FINAL)
    for state in states:
        if state not in FINAL:
            finals = ", ".join(name for name in STATES if name in FINAL)
            raise Refused(
                f"states: {state!r} is not a final state; give some of {finals}", field="states"
            )
    return sorted(states)
