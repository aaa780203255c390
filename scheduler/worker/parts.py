"""What a worker's code asks of the process around it.

The desk's services are such parts; so may be others, since nothing here needs SQL, the web or the
desk's settings.
"""

from datetime import datetime
from typing import Any, Protocol, cast

from celery import Celery
from redis import Redis

from scheduler.catalogue.catalogue import Catalogue
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.events.schema import RunReceived
from scheduler.rules.model.edit import Edit
from scheduler.rules.policies.admit import Admission
from scheduler.runs.cancellations import Cancellations
from scheduler.runs.deduplication import Deduplication
from scheduler.runs.leases import LeasedStream, Leases
from scheduler.runs.past_run import PastRun


class StartAnswer(Protocol):
    """What becomes of a scheduled run that is about to start."""

    @property
    def admission(self) -> Admission:
        """Start, wait or skip, with the reason."""

    @property
    def gone(self) -> bool:
        """Is its schedule not there?"""

    @property
    def told(self) -> bool:
        """Is the event that the worker has the message written?"""


class StartQuestion(Protocol):
    """Whether a scheduled run may start."""

    def ask(self, event: RunReceived, *, again: bool, start_by: datetime | None) -> StartAnswer:
        """May this first attempt start? Raises redis.RedisError."""


class PausesSchedules(Protocol):
    """Whoever may pause a schedule whose runs fail."""

    def pause(self, name: str, *, reason: str, edit: Edit) -> Any:
        """Pause it. Raises BeatdeskError or redis.RedisError."""


class AnswersRuns(Protocol):
    """Whoever knows what became of runs."""

    def run(self, run_id: str) -> PastRun:
        """The run. Raises NotFound."""


class WorkerParts(Protocol):
    """The parts of one process."""

    @property
    def redis(self) -> Redis:
        """The client; answers are text."""

    @property
    def events(self) -> LeasedStream:
        """The event stream, which moves leases with the events of runs."""

    @property
    def leases(self) -> Leases:
        """Which runs of schedules are not final."""

    @property
    def copies(self) -> Deduplication:
        """Which of two messages of a run becomes the run."""

    @property
    def cancellations(self) -> Cancellations:
        """Whose end was asked for, and by whom."""

    @property
    def catalogue(self) -> Catalogue:
        """The jobs that workers offer."""

    @property
    def at_start(self) -> StartQuestion:
        """Whether a scheduled run may start."""

    @property
    def operations(self) -> PausesSchedules:
        """Who pauses failing schedules."""

    @property
    def history(self) -> AnswersRuns:
        """Who knows what became of runs."""


def parts_for(app: Celery) -> WorkerParts:
    """The parts of this app in this process."""
    return cast(WorkerParts, cast(BeatdeskApp, app).parts.get())
