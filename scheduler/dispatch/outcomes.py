"""Consequences of a plan: the new meta, the events of the verdicts, and the runs to cancel.

Shared by our Beat and by stock Beat with our entries, so that both write the same about a tick.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from scheduler.dispatch.verdicts import Plan, Verdict
from scheduler.events.schema import OVERLAP_ACTOR, TicksEvent, TicksMissed, TicksSkipped
from scheduler.queues.removal import MessageRemoval
from scheduler.redbeat.codec import Meta
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import Schedule
from scheduler.runs.cancellations import Cancellations
from scheduler.runs.canceller import Canceller
from scheduler.runs.leases import LeasedStream, Leases
from scheduler.schedules import missed_in_pause
from scheduler.storage import keys

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

MOST_CANCELLED = 100


def meta_after(meta: Meta, plan: Plan, sent: int) -> Meta:
    """Return the meta once the plan is carried out; `sent` is the number of additional runs."""
    count = meta.total_run_count
    if sent or count is not None:
        count = (count or 0) + sent
    return Meta(plan.last or meta.last_run_at, count)


def event_of(schedule: Schedule, verdict: Verdict, now: datetime) -> TicksEvent:
    """Return the event of a verdict, as recorded by the history."""
    kind: type[TicksEvent] = TicksMissed if verdict.state == RunState.MISSED else TicksSkipped
    span = (verdict.first, verdict.last, verdict.count)
    return missed_in_pause.verdict(kind, schedule, verdict.reason, span, now)


def cancel_alive(redis: "Redis", app: Any, schedule: Schedule, now: datetime) -> None:
    """Ask the living runs of the schedule to end, 100 at most.

    After a failure, the next tick waits until the runs end by themselves.
    """
    try:
        runs: Any = redis.zrange(keys.ALIVE_PREFIX + schedule.uid, 0, MOST_CANCELLED - 1)
        stream = LeasedStream(redis)
        canceller = Canceller(
            app, stream, Cancellations(redis), Leases(redis, stream), MessageRemoval(app)
        )
        queues = [] if schedule.queue is None else [schedule.queue]
        canceller.cancel(runs, OVERLAP_ACTOR, now, queues)
    except (RedisError, KombuError, OSError) as error:
        log.warning(
            "beat: the runs of %r before this one could not be asked to end: %s",
            schedule.name,
            error,
        )
