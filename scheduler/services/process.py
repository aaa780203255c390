"""The services of the process around Beat, a worker, or one of a worker's children."""

from typing import cast

from celery import Celery

from scheduler.celery_app import internals
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.services.services import Services


def services_for(app: Celery) -> Services:
    """The calling process's services for an app."""
    return cast(Services, cast(BeatdeskApp, app).parts.get())


def current_services() -> Services:
    """The services of the current process, for a job's own code.

    In a task: the services of the task's app. Outside of a task, and in a job's own threads: the
    services of the newest app of the process, because Celery's current app may be a user's own.
    Raises RuntimeError in a process without an app.
    """
    app = internals.app_of_running_task()
    if not isinstance(app, BeatdeskApp):
        app = internals.current_app()
    if not isinstance(app, BeatdeskApp):
        app = BeatdeskApp.newest()
    if app is None:
        raise RuntimeError("this process has no app of Beatdesk's; make one by scheduler.celery")
    return services_for(app)
