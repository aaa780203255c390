"""What follows from a plan: what Beat remembers, the facts it tells, whom it asks to end.

For both scheduler classes, stock's with our entries and our own, so that they say the same of the
same tick.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from scheduler.dispatch.plan import Plan, Verdict
from scheduler.events.schema import OVERLAP_ACTOR, TicksEvent, TicksMissed, TicksSkipped
from scheduler.redbeat.codec import Meta
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import Schedule
from scheduler.runs.cancellations import Cancellations
from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

MOST_CANCELLED = 100


def meta_after(known: Meta, plan: Plan, count: int) -> Meta:
    """What Beat remembers once the plan is carried out, with so many runs more."""
    runs = known.total_run_count
    return Meta(
        plan.last or known.last_run_at, (runs or 0) + count if count or runs is not None else None
    )


def event_of(schedule: Schedule, ruling: Verdict, now: datetime) -> TicksEvent:
    """A ruling as the fact that history keeps."""
    kind: type[TicksEvent] = TicksMissed if ruling.state == RunState.MISSED else TicksSkipped
    return kind(
        at=now,
        schedule=schedule.name,
        schedule_uid=schedule.uid,
        revision=schedule.revision,
        job=schedule.job,
        reason=ruling.reason,
        tick_from=ruling.first,
        tick_to=ruling.last,
        ticks=ruling.count,
    )


def cancel_alive(redis: "Redis", app: Any, schedule: Schedule, now: datetime) -> None:
    """Ask the runs of a schedule to end. Where that fails the tick waits until they end by
    themselves.
    """
    try:
        runs: Any = redis.zrange(keys.ALIVE_PREFIX + schedule.uid, 0, MOST_CANCELLED - 1)
        cancellations = Cancellations(redis)
        for run in runs:
            cancellations.record(run, OVERLAP_ACTOR, now)
        app.control.revoke(runs, terminate=True, signal="SIGTERM")
    except (RedisError, OperationalError, OSError) as error:
        log.warning(
            "beat: the runs of %r before this one could not be asked to end: %s",
            schedule.name,
            error,
        )
