"""The class of Beatdesk's Celery app: what the processes that run it may ask of it.

Knows neither the desk's settings nor its services, so that a worker's code needs neither: whoever
makes the app hands over the few settings of `WorkerSettings`, and the parts that its processes use.
"""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from celery import Celery


class WorkerSettings(Protocol):
    """The settings that Beat and workers go by; `settings.schema` says what each means."""

    @property
    def event_body_limit(self) -> int:
        """Bytes of arguments, result or traceback in an event."""

    @property
    def stream_limit(self) -> int:
        """Events that may wait in the stream before log lines and progress are dropped."""

    @property
    def run_log_level(self) -> str:
        """The level from which log lines of runs are kept."""

    @property
    def run_log_lines(self) -> int:
        """Log lines kept of an attempt's beginning, and as many of its end."""

    @property
    def run_log_line_limit(self) -> int:
        """Characters of one log line."""

    @property
    def secrets_dir(self) -> Path | None:
        """The folder of the secrets that jobs name."""

    @property
    def flask_app(self) -> str | None:
        """`module:name` of the application in whose context jobs run."""

    @property
    def flask_url(self) -> str | None:
        """Where the links of that application lead."""

    @property
    def result_backend(self) -> str | None:
        """Celery's result back end; with none, results are read from the history."""


class PerProcess:
    """Parts that one process uses. A connection must not be shared over a fork, so that a child
    makes its own the first time that it asks.
    """

    def __init__(self, parts: Any, make: Callable[[], Any]) -> None:
        """`parts` are those of this process; `make` makes those of another."""
        self._parts = parts
        self._process = os.getpid()
        self._make = make

    def get(self) -> Any:
        """The parts of the process that asks."""
        if self._process != os.getpid():
            self._parts = self._make()
            self._process = os.getpid()
        return self._parts


class BeatdeskApp(Celery):
    """A Celery app that knows the settings it was made from, and the parts of its process."""

    settings: WorkerSettings
    parts: PerProcess
    """Bound by whoever makes the app; `worker.parts.parts_for` and `services_for` give it types."""

    run_signals: Any
    """Set when the root connects them; typed as `worker.signals.signals_of` sees them."""

    @cached_property
    def AsyncResult(self) -> Any:
        """The class of results: without a result back end, one that the history answers."""
        if self.settings.result_backend is None:
            name: Any = "scheduler.worker.result_backend:RunResult"
        else:
            name = "celery.result:AsyncResult"
        return self.subclass_with_self(name)
