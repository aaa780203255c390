"""The parts of the process that runs Beat, a worker, or one of a worker's children.

A connection must not be shared over a fork, so each process has a `Services` of its own, made when
it is first needed from the one that the root has adopted.
"""

import os
from typing import TYPE_CHECKING, cast

from celery import Celery, current_app

from scheduler.celery_app.app import BeatdeskApp

if TYPE_CHECKING:
    from scheduler.services.services import Services


def adopt(services: "Services") -> BeatdeskApp:
    """The app of a desk that a root has made, which is this process's desk from now on."""
    return cast(BeatdeskApp, services.celery)


def bind_services(app: BeatdeskApp, services: "Services") -> None:
    """The app's parts in this process are the desk's."""
    app.settled = (os.getpid(), services)


def services_for(app: Celery) -> "Services":
    """The parts for this app in this process."""
    app = cast(BeatdeskApp, app)
    process, services = app.settled
    if process != os.getpid():
        services = type(services)(services.settings)
        services.__dict__["celery"] = (
            app  # or the desk would make an app of its own when asked for it
        )
        bind_services(app, services)
    return services


def current_services() -> "Services":
    """The parts of the process in which a job runs."""
    return services_for(current_app._get_current_object())  # type: ignore[attr-defined] # a proxy
