"""The catalogue: jobs offered by workers, with their parameters.

Only the published catalogue is read; job code is not imported.
"""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_admin import BaseView, expose

from scheduler.catalogue.call_check import call_of
from scheduler.catalogue.catalogue import unknown_job
from scheduler.catalogue.records import Job
from scheduler.clock import utc_now
from scheduler.errors import NotFound
from webadmin.forms import arguments
from webadmin.guard import Guard
from webadmin.refusals import shows_refusals
from webadmin.services import services

MOST_SCHEDULES = 50


class JobsView(Guard, BaseView):
    """`/jobs/`."""

    @expose("/")
    def index(self) -> str:
        """Show every job by module; jobs without a living worker are marked as gone."""
        now = utc_now()
        jobs = services().catalogue.jobs(now)
        modules: dict[str, list[Job]] = {}
        for job in sorted(jobs, key=lambda one: (one.module, one.name)):
            modules.setdefault(job.module, []).append(job)
        return self.render(
            "jobs/index.html", modules=modules, gone=sum(job.is_gone for job in jobs)
        )

    @expose("/<path:name>/")
    def show(self, name: str) -> str:
        """Show one job: parameters, limits, workers, and the schedules of the job."""
        now = utc_now()
        job = _job(name)
        page = services().schedules.page(job=name, limit=MOST_SCHEDULES, now=now)
        return self.render(
            "jobs/show.html",
            job=job,
            call=call_of(job),
            parameters=[(parameter, arguments.bounds(parameter)) for parameter in job.parameters],
            workers={worker.name: worker for worker in services().catalogue.workers(now)},
            schedules=page.items,
            more_schedules=page.total - len(page.items),
        )

    @expose("/<path:name>/forget", methods=["POST"])
    @shows_refusals("", to="jobs.show")
    def forget(self, name: str) -> ResponseReturnValue:
        """Remove a gone job from the list."""
        services().catalogue.forget(name, utc_now())
        flash(
            f"{name} is off the list. It comes back by itself when a worker offers it again.",
            "success",
        )
        return redirect(url_for("jobs.index"), 303)


def _job(name: str) -> Job:
    """Return the job. Raises NotFound with similar names."""
    now = utc_now()
    job = services().catalogue.get(name, now)
    if job is None:
        raise NotFound(
            str(unknown_job(name, [offered.name for offered in services().catalogue.jobs(now)])),
            field="job",
        )
    return job
