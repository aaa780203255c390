"""The context of a user's own Flask application around a job, where it is asked for. Knows no Flask
by import.

One application per worker process, made when the first job needs it. Its context is entered and
left with each attempt, so that extensions tidy up as after a request: Flask-SQLAlchemy removes its
session.
"""

import importlib
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from scheduler.errors import Refused

OURS = "scheduler."


class FlaskApp(Protocol):
    """What is needed of a Flask application."""

    config: Any

    def app_context(self) -> AbstractContextManager[Any]:
        """Its context."""


class BadFlaskApp(Refused):
    """The Flask application cannot be made."""


class FlaskContext:
    """The application that a setting names as `module:attribute`; called where it is a factory."""

    def __init__(self, named: str | None, address: str | None) -> None:
        self._named = named
        self._address = address
        self._made: tuple[int, FlaskApp] | None = None

    def is_wanted(self, task: Any) -> bool:
        """Does the job want the context: by `flask=True`, or, where an application is named, by
        being a user's?
        """
        wanted = getattr(task, "flask", None)
        if wanted is None:
            return self._named is not None and not str(task.__module__).startswith(OURS)
        return bool(wanted)

    def around(self, task: Any) -> AbstractContextManager[Any]:
        """The context for a job that wants it."""
        return self.app().app_context() if self.is_wanted(task) else nullcontext()

    def app(self) -> FlaskApp:
        """The application of this process. Raises BadFlaskApp with what was wrong."""
        if self._made is None or self._made[0] != os.getpid():
            self._made = (os.getpid(), self._make())
        return self._made[1]

    def _make(self) -> FlaskApp:
        if self._named is None:
            raise BadFlaskApp(
                "the job needs a Flask application; name it in BEATDESK_FLASK_APP, as "
                "shop:create_app"
            )
        module, _, attribute = self._named.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for name in attribute.split("."):
                found = getattr(found, name)
            made = found if hasattr(found, "app_context") else found()
        except Exception as error:
            raise BadFlaskApp(
                f"the Flask application {self._named} (BEATDESK_FLASK_APP) cannot be made: "
                f"{type(error).__name__}: {error}"
            ) from error
        if not hasattr(made, "app_context"):
            raise BadFlaskApp(
                f"{self._named} (BEATDESK_FLASK_APP) is no Flask application but "
                f"{type(made).__name__}"
            )
        app = cast("FlaskApp", made)
        if self._address:
            place = urlsplit(self._address)
            app.config["SERVER_NAME"] = place.netloc
            app.config["PREFERRED_URL_SCHEME"] = place.scheme
            app.config["APPLICATION_ROOT"] = place.path.rstrip("/") or "/"
        return app
