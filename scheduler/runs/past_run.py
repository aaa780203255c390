"""A run of the past, as far as running it again and Celery's results need to know it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol


class HasId(Protocol):
    """What has an id."""

    @property
    def id(self) -> str:
        """The id."""


class PastRun(HasId, Protocol):
    """A run as the history has it. `history.views.RunView` is one."""

    @property
    def job(self) -> str:
        """The job's name; empty where the history does not know it."""

    @property
    def state(self) -> str:
        """The run's state."""

    @property
    def reason(self) -> str | None:
        """Why it is in this state, where there is something to say."""

    @property
    def schedule(self) -> str | None:
        """The schedule's name; None for a run on demand."""

    @property
    def schedule_uid(self) -> str | None:
        """The schedule's id."""

    @property
    def revision(self) -> int | None:
        """The revision that fired it."""

    @property
    def tick(self) -> datetime | None:
        """The nominal time, aware."""

    @property
    def tick_to(self) -> datetime | None:
        """The last tick of a range that became no run."""

    @property
    def ticks(self) -> int:
        """How many ticks the row stands for."""

    @property
    def queue(self) -> str | None:
        """The queue it was sent to."""

    @property
    def worker(self) -> str | None:
        """The worker that ran it last."""

    @property
    def finished_at(self) -> datetime | None:
        """When it ended, aware."""

    @property
    def args(self) -> Any:
        """Positional arguments, bounded, with secrets hidden."""

    @property
    def kwargs(self) -> Any:
        """Named arguments, bounded, with secrets hidden."""

    @property
    def result(self) -> Any:
        """What it returned, bounded, with secrets hidden."""

    @property
    def error(self) -> str | None:
        """The error of its last attempt, `Name: text`."""

    @property
    def traceback(self) -> str | None:
        """The traceback of its last attempt."""

    @property
    def attempts(self) -> Sequence[Any]:
        """Its attempts, oldest first."""

    @property
    def children(self) -> Sequence[HasId]:
        """The runs that it has started."""
