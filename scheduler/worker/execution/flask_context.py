"""The context of a user's own Flask application around a job. Imports no Flask.

A worker process has one application, made when the first job needs it. The context is entered and
left with each attempt, so that extensions tidy up as after a request: Flask-SQLAlchemy removes the
session.
"""

import importlib
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from scheduler.errors import Refused
from scheduler.worker.introspect import is_own


class FlaskApp(Protocol):
    """The parts of a Flask application that jobs need."""

    config: Any

    def app_context(self) -> AbstractContextManager[Any]:
        """The application's context."""


class BadFlaskApp(Refused):
    """The Flask application cannot be made."""


class FlaskContext:
    """The application context for jobs.

    `target` is the setting `module:attribute`; an attribute that is a factory is called. `address`
    is the public address of the application, for the links that jobs make.
    """

    def __init__(self, target: str | None, address: str | None) -> None:
        self._target = target
        self._address = address
        self._app_by_process: tuple[int, FlaskApp] | None = None

    def is_wanted(self, task: Any) -> bool:
        """Whether the job runs in the context.

        The job's own `flask` option decides; otherwise, where an application is named, every job
        outside of Beatdesk's package runs in the context.
        """
        wanted = getattr(task, "flask", None)
        if wanted is None:
            return self._target is not None and not is_own(task)
        return bool(wanted)

    def around(self, task: Any) -> AbstractContextManager[Any]:
        """Return the context for a job; an empty context for a job outside of the application."""
        return self.app().app_context() if self.is_wanted(task) else nullcontext()

    def app(self) -> FlaskApp:
        """Return the application of the process.

        Raises BadFlaskApp where the application cannot be imported or made.
        """
        if self._app_by_process is None or self._app_by_process[0] != os.getpid():
            self._app_by_process = (os.getpid(), self._make())
        return self._app_by_process[1]

    def _make(self) -> FlaskApp:
        if self._target is None:
            raise BadFlaskApp(
                "the job needs a Flask application; name it in BEATDESK_FLASK_APP, as "
                "shop:create_app"
            )
        module, _, attribute = self._target.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for name in attribute.split("."):
                found = getattr(found, name)
            made = found if hasattr(found, "app_context") else found()
        except Exception as error:
            raise BadFlaskApp(
                f"the Flask application {self._target} (BEATDESK_FLASK_APP) cannot be made: "
                f"{type(error).__name__}: {error}"
            ) from error
        if not hasattr(made, "app_context"):
            raise BadFlaskApp(
                f"{self._target} (BEATDESK_FLASK_APP) is no Flask application but "
                f"{type(made).__name__}"
            )
        app = cast("FlaskApp", made)
        if self._address:
            place = urlsplit(self._address)
            app.config["SERVER_NAME"] = place.netloc
            app.config["PREFERRED_URL_SCHEME"] = place.scheme
            app.config["APPLICATION_ROOT"] = place.path.rstrip("/") or "/"
        return app
