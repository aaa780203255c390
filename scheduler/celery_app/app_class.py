"""The class of Beatdesk's Celery app, with a worker's settings and the parts of each process.

Imports neither the desk's settings nor the desk's services, so that a worker's code needs neither:
the maker of the app passes the few settings of `WorkerSettings`, and the parts.
"""

import os
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol
from weakref import ref

from celery import Celery


class WorkerSettings(Protocol):
    """The settings of Beat and workers; `settings.schema` defines each."""

    @property
    def event_body_limit(self) -> int:
        """Bytes of arguments, result or traceback in an event."""

    @property
    def stream_limit(self) -> int:
        """Events that may wait in the stream before log lines and progress are dropped."""

    @property
    def run_log_level(self) -> str:
        """Lowest level of recorded log lines of runs."""

    @property
    def run_log_lines(self) -> int:
        """Greatest number of log lines of an attempt: half from the start, half from the end."""

    @property
    def run_log_line_limit(self) -> int:
        """Greatest size of a log line, in bytes."""

    @property
    def secrets_dir(self) -> Path | None:
        """The folder of the jobs' secrets."""

    @property
    def flask_app(self) -> str | None:
        """`module:name` of the application in whose context jobs run."""

    @property
    def flask_url(self) -> str | None:
        """Public address of the application, for links made in jobs."""

    @property
    def claiming_transport(self) -> bool:
        """Whether workers take messages from Redis by the claiming transport."""

    @property
    def broker_has_leases(self) -> bool:
        """Whether the broker is the Redis of the schedules, which also has the leases of runs."""

    @property
    def most_deliveries(self) -> int:
        """Greatest number of deliveries that end a worker; then the message's run is given up."""

    @property
    def secret_key(self) -> str | None:
        """The key of which approvals of calls are made."""

    @property
    def result_backend(self) -> str | None:
        """Address of Celery's result back end; None reads results from the history."""


class PerProcess:
    """Parts of one process.

    Connections must not be shared over a fork, so a child makes new parts at the first use.
    """

    def __init__(self, parts: Any, make: Callable[[], Any]) -> None:
        """`parts` belong to the calling process; `make` makes the parts of another process."""
        self._parts = parts
        self._process = os.getpid()
        self._make = make

    def get(self) -> Any:
        """The parts of the calling process."""
        if self._process != os.getpid():
            self._parts = self._make()
            self._process = os.getpid()
        return self._parts

    def fresh(self) -> Any:
        """Return new parts, for a thread that must share no connection with other threads."""
        return self._make()


class BeatdeskApp(Celery):
    """Celery app with the settings of its maker and the parts of the process."""

    settings: WorkerSettings
    parts: PerProcess
    """Set by the maker of the app; `worker.parts.parts_for` and `services_for` add the types."""

    run_signals: Any
    """Set when the root connects the receivers; `worker.signals.signals_of` adds the type."""

    _newest: ClassVar[Callable[[], "BeatdeskApp | None"]] = staticmethod(lambda: None)
    _sending = threading.local()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        BeatdeskApp._newest = ref(self)

    @classmethod
    def newest(cls) -> "BeatdeskApp | None":
        """Return the app that the process made last; Celery's current app may be another."""
        return BeatdeskApp._newest()

    def send_task(self, *args: Any, **options: Any) -> Any:
        """Send a message, as Celery does; `is_sending` is True meanwhile."""
        before = self.is_sending
        self._sending.app = self
        try:
            return super().send_task(*args, **options)
        finally:
            self._sending.app = self if before else None

    @property
    def is_sending(self) -> bool:
        """Whether the calling thread is sending a message by the app."""
        return getattr(self._sending, "app", None) is self

    @cached_property
    def AsyncResult(self) -> Any:
        """Class of results: reads the history, unless a result back end is set."""
        if self.settings.result_backend is None:
            name: Any = "scheduler.worker.result_backend:RunResult"
        else:
            name = "celery.result:AsyncResult"
        return self.subclass_with_self(name)
