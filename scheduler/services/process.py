"""The parts of the process that runs Beat, a worker, or one of a worker's children.

A connection must not be shared over a fork, so each process has a `Desk` of its own, made when it is first needed
from the one that the root has adopted.
"""

import os
from typing import TYPE_CHECKING, cast

from celery import Celery, current_app

from scheduler.celery_app.app import DeskApp

if TYPE_CHECKING:
    from scheduler.services.services import Desk


def adopt(desk: "Desk") -> DeskApp:
    """The app of a desk that a root has made, which is this process's desk from now on."""
    return cast(DeskApp, desk.celery)


def settle(app: DeskApp, desk: "Desk") -> None:
    """The app's parts in this process are the desk's."""
    app.settled = (os.getpid(), desk)


def desk_of(app: Celery) -> "Desk":
    """The parts for this app in this process."""
    app = cast(DeskApp, app)
    process, desk = app.settled
    if process != os.getpid():
        desk = type(desk)(desk.settings)
        desk.__dict__["celery"] = app  # or the desk would make an app of its own when asked for it
        settle(app, desk)
    return desk


def this_desk() -> "Desk":
    """The parts of the process in which a job runs."""
    return desk_of(current_app._get_current_object())  # type: ignore[attr-defined] # a proxy
