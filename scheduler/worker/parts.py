"""The parts of a process that a worker's code uses, as protocols.

The desk's `Services` have these parts. Another process may bring its own: none of them needs SQL,
the web or the desk's settings.
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
from scheduler.runs.deliveries import Deliveries
from scheduler.runs.leases import LeasedStream, Leases
from scheduler.runs.past_run import PastRun


class StartAnswer(Protocol):
    """Decision about a scheduled run that is about to start."""

    @property
    def admission(self) -> Admission:
        """Start, wait or skip, with the reason."""

    @property
    def gone(self) -> bool:
        """Whether the run's schedule does not exist."""

    @property
    def is_recorded(self) -> bool:
        """Whether the event that the worker has the message is in the stream."""


class StartQuestion(Protocol):
    """Check whether a scheduled run may start."""

    def ask(
        self,
        event: RunReceived,
        *,
        again: bool,
        start_by: datetime | None,
        is_known: bool | None = None,
    ) -> StartAnswer:
        """Decide whether a first attempt may start. Raises redis.RedisError.

        `again`: the run began in an earlier delivery of its message; `start_by` is the message's
        own deadline. `is_known`: whether Redis had a record of the run before this delivery; None
        where the run's lease tells.
        """


class PausesSchedules(Protocol):
    """Pausing of schedules whose runs fail."""

    def pause(self, name: str, *, reason: str, edit: Edit) -> Any:
        """Pause a schedule. Raises BeatdeskError or redis.RedisError."""


class AnswersRuns(Protocol):
    """Source of runs of the past."""

    def run(self, run_id: str) -> PastRun:
        """A run by its id. Raises NotFound."""


class WorkerParts(Protocol):
    """The parts of one process."""

    @property
    def redis(self) -> Redis:
        """The Redis client; replies are text."""

    @property
    def events(self) -> LeasedStream:
        """The event stream, which moves leases with the events of runs."""

    @property
    def leases(self) -> Leases:
        """Leases of the schedules' runs that are not final."""

    @property
    def deduplication(self) -> Deduplication:
        """Deduplication of messages that came by the outbox."""

    @property
    def deliveries(self) -> Deliveries:
        """Deliveries of the messages of runs."""

    @property
    def cancellations(self) -> Cancellations:
        """Runs that were cancelled, and by whom."""

    @property
    def catalogue(self) -> Catalogue:
        """The jobs that workers offer."""

    @property
    def start_check(self) -> StartQuestion:
        """Check whether a scheduled run may start."""

    @property
    def operations(self) -> PausesSchedules:
        """Pausing of failing schedules."""

    @property
    def history(self) -> AnswersRuns:
        """Runs of the past."""


def parts_for(app: Celery) -> WorkerParts:
    """The parts that the calling process uses for an app."""
    return cast(WorkerParts, cast(BeatdeskApp, app).parts.get())
