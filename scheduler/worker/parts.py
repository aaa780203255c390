"""The parts of a process that a worker's code uses, as protocols.

The desk's `Services` have all parts. Another process may bring its own: no part needs SQL, the web
or the desk's settings.
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
        """Whether the event `run.received` is in the stream."""


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

        `again`: the run began in an earlier delivery of the message; `start_by` is the message's
        own deadline. `is_known`: whether Redis had a record of the run before the delivery; None
        where the run's lease tells.
        """


class PausesSchedules(Protocol):
    """Pausing of schedules whose runs fail."""

    def pause(self, name: str, *, reason: str, edit: Edit) -> Any:
        """Pause a schedule. Raises BeatdeskError or redis.RedisError."""


class AnswersRuns(Protocol):
    """Source of runs of the past."""

    def run(self, run_id: str) -> PastRun:
        """Return a run by id. Raises NotFound."""


class WorkerParts(Protocol):
    """The parts of a process."""

    @property
    def redis(self) -> Redis:
        """The Redis client; replies are text."""

    @property
    def events(self) -> LeasedStream:
        """The event stream; moves leases together with the events of runs."""

    @property
    def leases(self) -> Leases:
        """Leases of the schedules' unfinished runs."""

    @property
    def deduplication(self) -> Deduplication:
        """Deduplication of messages from the outbox."""

    @property
    def deliveries(self) -> Deliveries:
        """Deliveries of the messages of runs."""

    @property
    def cancellations(self) -> Cancellations:
        """Cancelled runs, each with the actor."""

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
    """Return the parts of the calling process for an app."""
    return cast(WorkerParts, cast(BeatdeskApp, app).parts.get())
