"""A run of the past, for reruns and for Celery's results."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol


class HasId(Protocol):
    """A run of which only the id is needed."""

    @property
    def id(self) -> str:
        """The run's id."""


class PastRun(HasId, Protocol):
    """A run in the history; `history.queries.views.RunView` fits."""

    @property
    def job(self) -> str:
        """The job's name; empty where no event has named the job."""

    @property
    def state(self) -> str:
        """The run's state."""

    @property
    def reason(self) -> str | None:
        """Reason of the state; None for a state without a reason."""

    @property
    def schedule(self) -> str | None:
        """The schedule's name; None for a run on demand."""

    @property
    def schedule_uid(self) -> str | None:
        """The schedule's id."""

    @property
    def revision(self) -> int | None:
        """The schedule's revision that fired the run."""

    @property
    def tick(self) -> datetime | None:
        """The nominal time, aware; None for a run without a tick."""

    @property
    def tick_to(self) -> datetime | None:
        """The last tick of a range without runs."""

    @property
    def ticks(self) -> int:
        """Number of ticks in the row."""

    @property
    def queue(self) -> str | None:
        """The queue of the run's message."""

    @property
    def worker(self) -> str | None:
        """The worker of the last attempt."""

    @property
    def finished_at(self) -> datetime | None:
        """The moment of the end, aware."""

    @property
    def args(self) -> Any:
        """Positional arguments, bounded, with secrets hidden."""

    @property
    def kwargs(self) -> Any:
        """Named arguments, bounded, with secrets hidden."""

    @property
    def result(self) -> Any:
        """The job's result, bounded, with secrets hidden."""

    @property
    def error(self) -> str | None:
        """The error of the last attempt, `Name: text`."""

    @property
    def traceback(self) -> str | None:
        """The traceback of the last attempt."""

    @property
    def attempts(self) -> Sequence[Any]:
        """The attempts, oldest first."""

    @property
    def children(self) -> Sequence[HasId]:
        """The runs that were started by the run."""
