"""Forgetting, in batches: each is a transaction of its own, so that the recorder waits for a
fraction of a second.

What is forgotten is decided by the caller. Runs that have not ended are never deleted, however old
they are: they are something to look at, and their next event would bring back half a row.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, delete, func, select

from scheduler.errors import Refused
from scheduler.history.engine import writing
from scheduler.history.models import Attempt, Report, Run, RunDetail, RunLog
from scheduler.history.queries import ReportView
from scheduler.rules.model.run_states import FINAL, STATES


def delete_runs_before(
    engine: Engine,
    cutoff: datetime,
    batch: int = 500,
    states: Collection[str] | None = None,
    schedule: str | None = None,
) -> Iterator[int]:
    """Delete ended runs first heard of before `cutoff`, with all that belongs to them; yields the
    count of each batch.

    `states` keeps to some of the final states, `schedule` to the runs of the schedule of this name.
    """
    if batch < 1:
        raise Refused(f"batch: {batch} is not 1 or more", field="batch")
    wanted = select(Run.key, Run.id).where(*_forgettable(cutoff, states, schedule))
    # Rows that a recorder is folding into right now are left for the next time; SQLite has no such
    # lock, nor needs it.
    wanted = wanted.order_by(Run.first_at).limit(batch).with_for_update(skip_locked=True)
    while True:
        with writing(engine).begin() as connection:
            found = connection.execute(wanted).all()
            runs = [row.id for row in found]
            connection.execute(delete(Attempt).where(Attempt.run_id.in_(runs)))
            connection.execute(delete(RunLog).where(RunLog.run_id.in_(runs)))
            connection.execute(delete(RunDetail).where(RunDetail.run_id.in_(runs)))
            connection.execute(delete(Run).where(Run.key.in_([row.key for row in found])))
        if found:
            yield len(found)
        if len(found) < batch:
            return


def count_runs_before(
    engine: Engine,
    cutoff: datetime,
    states: Collection[str] | None = None,
    schedule: str | None = None,
) -> int:
    """How many runs `delete_runs_before` would delete."""
    wanted = select(func.count()).select_from(Run).where(*_forgettable(cutoff, states, schedule))
    with engine.connect() as connection:
        return connection.execute(wanted).scalar_one()


def expired_reports(engine: Engine, now: datetime, batch: int = 500) -> list[ReportView]:
    """Reports that were to be kept until now, oldest first. Remove their files, then
    `delete_reports`.

    In this order a crash between the two leaves a row whose file is gone, which the next pass finds
    again; the other order would leave a file that nobody knows.
    """
    columns = [getattr(Report, name) for name in ReportView.model_fields]
    expired = (
        select(*columns).where(Report.keep_until <= now).order_by(Report.keep_until).limit(batch)
    )
    with engine.connect() as connection:
        return [ReportView(**row._mapping) for row in connection.execute(expired)]


def delete_reports(engine: Engine, ids: Sequence[str]) -> int:
    """Forget these reports; how many there were."""
    with writing(engine).begin() as connection:
        return connection.execute(delete(Report).where(Report.id.in_(list(ids)))).rowcount


def _forgettable(
    cutoff: datetime, states: Collection[str] | None, schedule: str | None
) -> list[ColumnElement[bool]]:
    """Which runs may go, in SQL."""
    # Not the bare column: SQLite would gather all that ended, for each batch, instead of beginning
    # at the oldest.
    conditions = [Run.first_at < cutoff, func.coalesce(Run.state, "").in_(_doomed(states))]
    return conditions if schedule is None else [*conditions, Run.schedule == schedule]


def _doomed(states: Collection[str] | None) -> list[str]:
    """The states whose runs may go."""
    if states is None:
        return sorted(FINAL)
    for state in states:
        if state not in FINAL:
            known = ", ".join(name for name in STATES if name in FINAL)
            raise Refused(
                f"states: {state!r} is not a final state; give some of {known}", field="states"
            )
    return sorted(states)
