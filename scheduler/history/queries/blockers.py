"""The cause of a tick skipped for overlap: the run in the way, and the cause of the run's delay.

The history has both: runs, and the outages of workers and of queues' readers. Reads only.
"""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select

from scheduler.history.models import Outage, Run
from scheduler.rules.model.identity import tick_text
from scheduler.rules.model.run_states import RunState

_WITHOUT_RUN = tuple(state.value for state in RunState if state.is_without_run)


class Blocker(NamedTuple):
    """The run in the way, and a sentence about the run."""

    run: str
    sentence: str


def blocker_of(
    connection: Connection, uid: str | None, tick: datetime | None, key: int
) -> Blocker | None:
    """Return the run of the schedule `uid` not ended at `tick`; None without a recorded run.

    `key` is the key of the skipped row.
    """
    if uid is None or tick is None:
        return None
    columns = (Run.id, Run.tick, Run.queue, Run.worker, Run.queued_at, Run.started_at)
    statement = (
        select(*columns)
        .where(
            Run.schedule_uid == uid,
            Run.key < key,
            Run.state.not_in(_WITHOUT_RUN),
            Run.first_at <= tick,
            or_(Run.finished_at.is_(None), Run.finished_at > tick),
        )
        .order_by(Run.key.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else Blocker(row.id, _sentence(connection, row, tick))


def _sentence(connection: Connection, run: Any, tick: datetime) -> str:
    name = f"run {run.id}" if run.tick is None else f"the run of {tick_text(run.tick)}"
    if run.started_at is not None and run.started_at <= tick:
        worker = f" on {run.worker}" if run.worker else ""
        return f"{name} was running{worker}, since {tick_text(run.started_at)}"
    queue = run.queue or "default"
    since = _outage(connection, "queue", queue, tick) or _outage(connection, "workers", None, tick)
    if since is not None:
        return f"{name} waits: no worker listens to {queue!r} since {tick_text(since)}"
    return f"{name} waited in the queue {queue!r}"


def _outage(connection: Connection, of: str, name: str | None, moment: datetime) -> datetime | None:
    """Return since when an outage of a kind lasted at `moment`; None without an outage."""
    statement = select(Outage.began_at).where(
        Outage.of == of,
        Outage.began_at <= moment,
        or_(Outage.ended_at.is_(None), Outage.ended_at > moment),
    )
    if name is not None:
        statement = statement.where(Outage.name == name)
    return connection.execute(statement.order_by(Outage.began_at).limit(1)).scalar()
