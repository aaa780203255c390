"""The current run: id, attempt, schedule, tick and progress, for the job's own code.

`worker.execution.runtime` enters a run around the job's function, in the worker's child. Threads
that a job starts find the run too, where the process has one run at a time (as Celery's prefork
pool does). Outside of a run, as in a unit test, the values are empty and progress goes nowhere.
"""

from collections.abc import Mapping
from contextvars import ContextVar, Token
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from scheduler.runs.own_header import schedule_of, tick_of


class ProgressSink(Protocol):
    """Receiver of a run's progress."""

    def progress(self, done: float, total: float | None, text: str) -> None:
        """Take the progress of a run, in place of any before."""


class Execution(NamedTuple):
    """An attempt of a run in the process, with the headers of the run's message."""

    id: str
    attempt: int
    headers: Mapping[str, Any]
    progress_sink: ProgressSink


_here: ContextVar[Execution | None] = ContextVar("beatdesk_run", default=None)
_all: list[Execution] = []


def current() -> Execution | None:
    """Return the attempt in which the calling code runs; None outside of a run."""
    found = _here.get()
    if found is None and len(_all) == 1:
        return _all[0]
    return found


def enter(execution: Execution) -> Token[Execution | None]:
    """Make an attempt the current attempt. Returns the token for `leave`."""
    _all.append(execution)
    return _here.set(execution)


def leave(execution: Execution, token: Token[Execution | None]) -> None:
    """Undo `enter`."""
    _here.reset(token)
    _all.remove(execution)


def execution_of(run: str) -> Execution | None:
    """Return the attempt of a run that the process is working on; None without such a run."""
    return next((execution for execution in list(_all) if execution.id == run), None)


class CurrentRun:
    """The current run of a job: `run.tick`, `run.progress(…)`. Empty outside of a run."""

    @property
    def id(self) -> str | None:
        """The run's id, which is Celery's task id. None outside of a run.

        All attempts have one id, so that a job can use the id as an idempotency key.
        """
        execution = current()
        return None if execution is None else execution.id

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1; 1 outside of a run."""
        execution = current()
        return 1 if execution is None else execution.attempt

    @property
    def schedule(self) -> str | None:
        """The name of the schedule that fired the run; None for a run of other origin."""
        execution = current()
        return None if execution is None else schedule_of(execution.headers)

    @property
    def tick(self) -> datetime | None:
        """The nominal time of the run, aware, in UTC; equal in all attempts and in a rerun.

        None for a run without a tick.
        """
        execution = current()
        return None if execution is None else tick_of(execution.headers)

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Report how far the run is.

        `done` and `total` are in any unit; without `total` the console shows the number and the
        text, and no bar. May be called as often as the job likes: the newest report is sent, at
        most twice a second. Raises ValueError for a `done` or `total` that is not a finite number.
        """
        execution = current()
        if execution is not None:
            execution.progress_sink.progress(done, total, text)


run = CurrentRun()
