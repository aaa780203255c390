"""The services of the process that runs Beat, a worker, or one of a worker's children."""

from typing import cast

from celery import Celery

from scheduler.celery_app import internals
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.services.services import Services


def services_for(app: Celery) -> Services:
    """The services that the calling process uses for an app."""
    return cast(Services, cast(BeatdeskApp, app).parts.get())


def current_services() -> Services:
    """The services of the process in which a job runs, for the job's own code."""
    return services_for(internals.current_app())
