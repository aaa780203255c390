"""The thread that watches the requests of a process, and ends those over their budget.

    wall time over ─▶ what waits for Redis or SQL fails, as does every further question
    cpu time over  ─▶ OverBudget is raised in the request's thread, again and again until it ends

It begins with a request, so that it exists in each process of a server that forks, and ends when
none has come for a while.
"""

import logging
import os
import threading
from time import monotonic

from webadmin.budgets.watched import Watched

log = logging.getLogger(__name__)

EVERY = 0.2
"""Seconds between two looks, while a request runs."""

AGAIN = 1.0
"""Seconds until OverBudget is raised again, where the code has caught it."""


IDLE = 60.0
"""Seconds without a request after which the thread ends."""


class Watchdog:
    """The requests of a process that run now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Watched, float] = {}
        """When the request is ended again, by the monotonic clock; 0 at first."""

        self._wake = threading.Event()
        self._never = threading.Event()
        self._process = 0

    def begin(self, watched: Watched) -> None:
        """Watch a request."""
        with self._lock:
            self._running[watched] = 0.0
            if self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._watch, name="beatdesk-budgets", daemon=True).start()
        self._wake.set()

    def end(self, watched: Watched) -> None:
        """Watch a request no longer; called in its own thread. What was raised late is lost."""
        with self._lock:
            self._running.pop(watched, None)
            watched.clear()

    def look(self, now: float) -> None:
        """Look once at all requests; `now` is by the monotonic clock."""
        with self._lock:
            for watched in list(self._running):
                self._look_at(watched, now)

    def _watch(self) -> None:
        while self._is_needed():
            self._wake.clear()
            while self._running:
                self._never.wait(EVERY)
                try:
                    self.look(monotonic())
                except Exception:
                    log.exception("requests over their budget were not ended")

    def _is_needed(self) -> bool:
        """Wait for a request. Returns False where none came: the next one begins a new thread."""
        if self._wake.wait(IDLE):
            return True
        with self._lock:
            if self._running:
                return True
            self._process = 0
            return False

    def _look_at(self, watched: Watched, now: float) -> None:
        if watched.wall() > watched.budget.wall and not watched.is_late:
            log.error(
                "%s takes longer than its %g s; no server answers it any more. It stands at\n%s",
                watched.what,
                watched.budget.wall,
                watched.stack(),
            )
            watched.end_questions()
        if now >= self._running[watched] and watched.cpu() > watched.budget.cpu:
            stack = watched.stack()
            if watched.end():
                self._running[watched] = now + AGAIN
                log.error(
                    "%s has used its %g s of processor time and is ended. It stood at\n%s",
                    watched.what,
                    watched.budget.cpu,
                    stack,
                )
