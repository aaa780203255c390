"""The run in whose midst code is: what a job may ask of it and tell it, whatever kind of Celery
task the job is.

A run is entered by `worker.runtime` around the job's function, in the worker's child. Threads that
a job starts find it too, where the process has one run at a time (as Celery's prefork pool does).
Outside of a run, in a unit test say, there is none, and nothing here does harm.
"""

from collections.abc import Mapping
from contextvars import ContextVar, Token
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from scheduler.runs.own_header import schedule_of, tick_of


class ProgressSink(Protocol):
    """Who passes on how far a run is."""

    def progress(self, done: float, total: float | None, text: str) -> None:
        """The run is so far."""


class Execution(NamedTuple):
    """One attempt of a run, as it is being made in this process. `headers` are those of its
    message.
    """

    id: str
    attempt: int
    headers: Mapping[str, Any]
    teller: ProgressSink


_here: ContextVar[Execution | None] = ContextVar("beatdesk_run", default=None)
_all: list[Execution] = []


def current() -> Execution | None:
    """The run that this code belongs to, if it belongs to one."""
    found = _here.get()
    if found is None and len(_all) == 1:
        return _all[0]
    return found


def enter(execution: Execution) -> Token[Execution | None]:
    """What happens from now on belongs to this run, until `leave` is called with the answer."""
    _all.append(execution)
    return _here.set(execution)


def leave(execution: Execution, token: Token[Execution | None]) -> None:
    """It is over."""
    _here.reset(token)
    _all.remove(execution)


class CurrentRun:
    """The run that asks: `run.tick`, `run.progress(…)`. All is empty, and telling does nothing,
    outside of a run.
    """

    @property
    def id(self) -> str | None:
        """The run's id, which is Celery's task id. The same in each attempt: a good key against
        doing things twice.
        """
        execution = current()
        return None if execution is None else execution.id

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        execution = current()
        return 1 if execution is None else execution.attempt

    @property
    def schedule(self) -> str | None:
        """The name of the schedule that fired the run."""
        execution = current()
        return None if execution is None else schedule_of(execution.headers)

    @property
    def tick(self) -> datetime | None:
        """The moment for which the run was due, aware, in UTC; the same in each attempt and when
        run again.
        """
        execution = current()
        return None if execution is None else tick_of(execution.headers)

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        """Tell how far the run is. May be called as often as wanted: what is told goes out twice a
        second at most.

        `done` and `total` are in whatever unit suits; without `total` there is no bar, but the text
        and the number.
        """
        execution = current()
        if execution is not None:
            execution.teller.progress(done, total, text)


run = CurrentRun()
