"""The parts of the process that runs Beat, a worker, or one of a worker's children.

A connection must not be shared over a fork, so each process has its own `Desk`, made when it is first needed.
"""

import os
from typing import cast

from celery import Celery, current_app

from scheduler.runs.app import DeskApp
from scheduler.wiring import Desk

_desks: dict[int, tuple[Celery, Desk]] = {}


def desk_of(app: Celery) -> Desk:
    """The parts for this app in this process."""
    kept, desk = _desks.get(os.getpid(), (None, None))
    if desk is None or kept is not app:
        desk = Desk(cast(DeskApp, app).settings)
        desk.__dict__["celery"] = app  # or the desk would make an app of its own when asked for it
        _desks.clear()
        _desks[os.getpid()] = (app, desk)
    return desk


def adopt(desk: Desk) -> DeskApp:
    """The app of a desk that a root has made, which is this process's desk from now on."""
    app = cast(DeskApp, desk.celery)
    _desks[os.getpid()] = (app, desk)
    return app


def this_desk() -> Desk:
    """The parts of the process in which a job runs."""
    return desk_of(current_app._get_current_object())  # type: ignore[attr-defined] # a proxy
