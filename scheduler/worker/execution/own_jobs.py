"""A worker's own jobs, stopped because another worker has the runs, or soon will.

A worker that could not renew leases (the network was cut), or was itself stopped for a while
(frozen, swapped out), finds that another worker has the runs, or soon will. A run must not be
executed twice at once, so the worker stops its jobs, and records why.
"""

import logging
from collections.abc import Callable
from typing import Any

from celery.worker import state

from scheduler.celery_app import internals
from scheduler.clock import utc_now
from scheduler.events.schema import RunRetried, run_event
from scheduler.runs.headers import attempt_in, is_job
from scheduler.worker.event_buffer import EventBuffer
from scheduler.worker.process.pools import abilities_of

log = logging.getLogger(__name__)

TAKEN_AWAY = (
    "stopped: this worker was not heard of for longer than a lease lasts, and the run is "
    "not its own any more"
)
UNRENEWED = (
    "stopped: this worker could not renew its leases for {seconds:g} s, and another worker may "
    "begin with the run"
)
WORKER_STOPPED = "stopped with its worker, and the message comes back"


def stop(
    consumer: Any,
    events: EventBuffer,
    reason: str,
    is_concerned: Callable[[str], bool],
    *,
    is_ending: bool = False,
) -> list[str]:
    """Stop the running jobs whose run's id passes `is_concerned`. Returns the stopped ids.

    Where the worker `is_ending`, its jobs end with it in any pool. Elsewhere a job goes on whose
    pool cannot stop it, and nothing is recorded of it. Celery neither acknowledges the messages nor
    gives them back.
    """
    stopped: list[str] = []
    can_stop = abilities_of(consumer.pool).stops_jobs
    for request in list(state.active_requests):
        if not is_job(request.task.name) or request.acknowledged or not is_concerned(request.id):
            continue
        if internals.was_stopped(request):
            continue
        if not can_stop and not is_ending:
            log.error("this worker's pool cannot stop the job of run %s, which goes on", request.id)
            continue
        stopped.append(request.id)
        log.error("run %s is %s", request.id, reason)
        # Not sent yet: the job must end before another worker begins, whatever Redis answers.
        events.add(
            run_event(
                RunRetried,
                request.id,
                attempt_in(request.request_dict),
                utc_now(),
                worker=consumer.hostname,
                error=reason,
                redelivered=True,
            )
        )
        if can_stop:
            signal = "TERM" if is_ending else "KILL"
            request.cancel(consumer.pool, signal=signal, emit_retry=False)
    if stopped and is_ending:
        events.flush()
    return stopped
