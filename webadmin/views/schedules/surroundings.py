"""Facts beside a schedule, for warnings: registered jobs, consumed queues, usual duration."""

from dataclasses import replace
from datetime import datetime
from statistics import median

from scheduler.catalogue.records import Worker
from scheduler.rules.explain.warnings import NO_FACTS, Facts
from scheduler.rules.model.run_states import RunState
from scheduler.rules.model.spec import Spec
from webadmin.forms.draft import UNCHOSEN
from webadmin.refusals import while_away
from webadmin.services import services
from webadmin.views.schedules.recent import last_runs

RUNS = 20


def facts(uid: str | None, spec: Spec, now: datetime) -> Facts:
    """Return the facts that are quick to read; a missing fact causes no warning."""
    workers = _workers(now)
    if workers is None:
        return NO_FACTS
    named = () if spec.window.calendar is None else (spec.window.calendar,)
    others, calendars = services().same_call.others(spec, now), services().calendars.existing(named)
    found = Facts(usual_duration=_usual(uid), others=others, calendars=calendars)
    if not workers or spec.job == UNCHOSEN:
        return found
    job = services().catalogue.get(spec.job)
    return replace(
        found,
        queues=frozenset(queue for worker in workers for queue in worker.queues) or None,
        jobs=frozenset(job for worker in workers for job in worker.jobs),
        default_queue=job.queue if job and job.queue else found.default_queue,
    )


@while_away(None)
def _workers(now: datetime) -> list[Worker] | None:
    return services().catalogue.workers(now)


def _usual(uid: str | None) -> float | None:
    """Return the median duration, in seconds, of the last successful runs; None without any."""
    if uid is None:
        return None
    runs = last_runs([uid], RUNS).by_uid.get(uid, ())
    durations = [
        run.duration for run in runs if run.state == RunState.SUCCEEDED and run.duration is not None
    ]
    return median(durations) if durations else None
