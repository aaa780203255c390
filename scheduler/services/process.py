"""The services of the process that runs Beat, a worker, or one of a worker's children."""

from typing import cast

from celery import Celery, current_app

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.services.services import Services


def services_for(app: Celery) -> Services:
    """The services of this app in this process."""
    return cast(Services, cast(BeatdeskApp, app).parts.get())


def current_services() -> Services:
    """The services of the process in which a job runs."""
    return services_for(current_app._get_current_object())  # type: ignore[attr-defined] # a proxy
