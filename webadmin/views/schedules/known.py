"""What is known of the world beside a schedule: who registered its job, who consumes its queue, how long it takes."""

from dataclasses import replace
from datetime import datetime
from statistics import median

from scheduler.errors import Unavailable
from scheduler.rules.spec import Spec
from scheduler.rules.warnings import NOTHING_KNOWN, Facts
from webadmin import desk
from webadmin.views.schedules.recent import last_runs

UNCHOSEN = "unchosen"
"""The job of a draft in which none is chosen yet."""

RUNS = 20
MOST_COMPARED = 200
"""Schedules that are laid beside one to find its like; more are not read while somebody waits for a page."""


def facts(uid: str | None, spec: Spec, now: datetime) -> Facts:
    """What can be had quickly; what cannot is left out, and nothing is said about it."""
    try:
        workers = desk().catalogue.workers(now)
    except Unavailable:
        return NOTHING_KNOWN
    named = () if spec.window.calendar is None else (spec.window.calendar,)
    known = Facts(usual_duration=_usual(uid), others=_others(spec), calendars=desk().calendars.known(named))
    if not workers or spec.job == UNCHOSEN:
        return known
    job = desk().catalogue.get(spec.job)
    return replace(
        known,
        queues=frozenset(queue for worker in workers for queue in worker.queues) or None,
        jobs=frozenset(job for worker in workers for job in worker.jobs),
        default_queue=job.queue if job and job.queue else known.default_queue,
    )


def _usual(uid: str | None) -> float | None:
    """The median of the last runs that succeeded."""
    if uid is None:
        return None
    runs = last_runs([uid], RUNS).by_uid.get(uid, ())
    durations = [run.duration for run in runs if run.state == "succeeded" and run.duration is not None]
    return median(durations) if durations else None


def _others(spec: Spec) -> list[Spec]:
    """The other schedules of the same job, where there are few schedules."""
    store = desk().schedules
    if len(store.names()) > MOST_COMPARED:
        return []
    lines = store.page(job=spec.job, limit=MOST_COMPARED).items
    return [line.schedule.spec() for line in lines if line.schedule is not None and line.name != spec.name]
