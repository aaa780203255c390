"""Receivers of Celery's signals: record the history of runs as events.

A receiver must never raise: Celery would log the error and go on, and the event would be lost.
Order matters in two places, and tests hold both. A worker's child delivers the end of a run before
Celery's main process is informed and acknowledges the message. In the main process Celery puts
acknowledgements on the event loop, after the receivers of the signal have run.

Only the root `scheduler/celery.py` connects the receivers; each receiver reads the clock once.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast
from weakref import WeakValueDictionary

from celery import signals
from celery.exceptions import Ignore
from redis.exceptions import RedisError

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.errors import BeatdeskError
from scheduler.rules.model.edit import Edit
from scheduler.runs.headers import (
    Message,
    attempt_in,
    attempt_of,
    is_job,
    is_run,
    message_of,
    queue_of,
)
from scheduler.runs.own_header import deliveries_of, schedule_of
from scheduler.worker.event_buffer import EventBuffer
from scheduler.worker.parts import parts_for
from scheduler.worker.reporter import Reporter
from scheduler.worker.sent_runs import SentRuns

log = logging.getLogger(__name__)

PAUSER = "pause_after_failures"
"""Actor of a pause after failures, in events and in the console."""

LOST_CONNECTION = "cancelled: the worker lost its connection to the broker, the message comes back"


def signals_of(app: BeatdeskApp) -> "RunSignals":
    """Return the receivers that the root has connected for an app."""
    return cast(RunSignals, app.run_signals)


class RunSignals:
    """The receivers of an app. Each process with the app has a reporter of its own."""

    def __init__(self, app: BeatdeskApp) -> None:
        self._app = app
        self._reporters: dict[int, Reporter] = {}
        self._taken: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._recorded_run: str | None = None
        self._sent_runs = SentRuns(app)

    def connect(self) -> None:
        """Connect the receivers, by strong references: Celery's default are weak references."""
        for signal, receiver in self._receivers().items():
            signal.connect(receiver, weak=False)
        self._app.run_signals = self

    def disconnect(self) -> None:
        """Disconnect the receivers again, for a process with several apps one after another."""
        for signal, receiver in self._receivers().items():
            signal.disconnect(receiver)

    @property
    def published(self) -> Callable[..., None]:
        """The receiver that records the messages sent by the process."""
        return self._sent_runs.published

    def reporter(self) -> Reporter:
        """The process's reporter."""
        reporter = self._reporters.get(os.getpid())
        if reporter is None:
            buffer = EventBuffer(parts_for(self._app).events)
            reporter = Reporter(buffer, self._app.settings.event_body_limit)
            self._reporters = {os.getpid(): reporter}
        return reporter

    @contextmanager
    def already_recorded(self, run: str | None) -> Iterator[None]:
        """Record no second `run.received` for a run: the event is in the stream already."""
        self._recorded_run = run
        try:
            yield
        finally:
            self._recorded_run = None

    def _receivers(self) -> dict[Any, Callable[..., None]]:
        return {
            signals.after_task_publish: self.published,
            signals.task_received: self.received,
            signals.task_prerun: self.started,
            signals.task_postrun: self.over,
            signals.task_success: self.succeeded,
            signals.task_failure: self.failed,
            signals.task_internal_error: self.broken,
            signals.task_retry: self.retried,
            signals.task_revoked: self.revoked,
        }

    def received(self, request: Any = None, **_: Any) -> None:
        """Record that the worker's main process took a message."""
        if not is_job(request.task.name):  # its own name may be the sender's `shadow`
            return
        self._taken[request.id] = request
        if request.id == self._recorded_run:
            return
        queue = queue_of(request.delivery_info)
        message = Message(request.request_dict, request.args, request.kwargs, queue)
        self.reporter().received(message, worker=request.hostname, now=utc_now())

    def started(self, task_id: str = "", task: Any = None, **_: Any) -> None:
        """Record that a child began an attempt."""
        if not is_job(task.name):
            return
        request = task.request
        self.reporter().started(
            task_id,
            executions_before(request),
            worker=request.hostname,
            pid=os.getpid(),
            now=utc_now(),
        )

    def succeeded(
        self, sender: Any = None, result: Any = None, runtime: float | None = None, **_: Any
    ) -> None:
        """Record that a child's job returned."""
        if not is_job(sender.name):
            return
        request = sender.request
        self.reporter().succeeded(
            request.id,
            executions_before(request),
            worker=request.hostname,
            result=result,
            runtime=runtime,
            now=end_of(request),
        )

    def over(self, task: Any = None, task_id: str = "", state: str | None = None, **_: Any) -> None:
        """Record the end of a job that raised `Ignore`, for which Celery has no other signal."""
        if state != "IGNORED" or not is_job(task.name):
            return
        request = task.request
        self.reporter().succeeded(
            task_id,
            executions_before(request),
            worker=request.hostname,
            result=Ignore.__name__,
            runtime=None,
            now=end_of(request),
        )

    def failed(
        self,
        sender: Any = None,
        task_id: str = "",
        exception: Any = None,
        einfo: Any = None,
        **_: Any,
    ) -> None:
        """Record that a job raised, lost its process for good, or exceeded the time limit."""
        if not is_job(sender.name):
            return
        retries, worker = self._attempt(sender, task_id)
        trace = getattr(einfo, "traceback", None)
        is_of_this_process = sender.request.id == task_id
        self.reporter().failed(
            task_id,
            retries,
            worker=worker,
            error=exception,
            traceback=_text(trace),
            now=end_of(sender.request) if is_of_this_process else utc_now(),
        )
        self._pause_failing()

    def broken(
        self,
        sender: Any = None,
        task_id: str = "",
        request: Any = None,
        exception: Any = None,
        **more: Any,
    ) -> None:
        """Record an error of Celery's own around a job."""
        if not is_job(sender.name):
            return
        fields = request if isinstance(request, dict) else {}
        trace = getattr(more.get("einfo"), "traceback", None)
        self.reporter().failed(
            task_id,
            attempt_in(fields) - 1,
            worker=fields.get("hostname"),
            error=exception,
            traceback=_text(trace),
            now=utc_now(),
        )

    def retried(
        self,
        sender: Any = None,
        request: Any = None,
        reason: Any = None,
        einfo: Any = None,
        **_: Any,
    ) -> None:
        """Record that an attempt failed and another follows.

        Celery has sent the next attempt, or the broker delivers the message again.
        """
        if not is_job(sender.name) or (reason is None and self._has_ended(request)):
            return
        cause = getattr(reason, "exc", None) or reason or LOST_CONNECTION
        self.reporter().retried(
            request.id,
            executions_before(request),
            worker=request.hostname,
            error=cause,
            traceback=_text(getattr(einfo, "traceback", None)),
            when=getattr(reason, "when", None),
            redelivered=reason is None,
            now=end_of(request),
        )

    def _has_ended(self, request: Any) -> bool:
        """Return whether a schedule's run has a recorded end, without an acknowledged message.

        False for other runs, and where Redis does not answer: the first recorded end counts
        (`history.stamps`).
        """
        if not schedule_of(vars(request)):
            return False
        try:
            return not parts_for(self._app).leases.known([request.id])
        except RedisError as error:
            log.warning("whether run %s has ended cannot be seen: %s", request.id, error)
            return False

    def revoked(
        self,
        sender: Any = None,
        request: Any = None,
        terminated: bool = False,
        expired: bool = False,
        **_: Any,
    ) -> None:
        """Record that a run was cancelled, or came too late."""
        if not is_job(sender.name):
            return
        now = utc_now()
        if expired:
            self._expired(request, now)
            return
        self.reporter().revoked(
            request.id,
            executions_before(request),
            worker=request.hostname,
            actor=self._canceller(request.id),
            terminated=bool(terminated),
            now=now,
        )

    def _expired(self, request: Any, now: datetime) -> None:
        queue = queue_of(request.delivery_info)
        self.reporter().expired(
            Message(vars(request), request.args, request.kwargs, queue),
            executions_before(request),
            worker=request.hostname,
            waited_for=f"in the queue {queue}" if queue else "for a worker",
            now=now,
        )

    def refused(self, message: Any, worker: str, reason: str) -> None:
        """Record that the worker's consumer is about to drop a message, unable to begin with it."""
        headers: Any = getattr(message, "headers", None)
        if is_run(headers):
            self.reporter().refused(
                message_of(message), worker=worker, reason=reason, now=utc_now()
            )

    def given_up(self, message: Any, worker: str, reason: str) -> None:
        """Record that the worker's consumer is about to drop a message that ended its workers."""
        attempts_before = deliveries_of(message.headers)
        if not attempts_before:
            self.refused(message, worker, reason)
            return
        self.reporter().failed(
            message.headers["id"],
            attempt_in(message.headers) - 2,  # the last attempt; this delivery is none
            worker=worker,
            error=reason,
            traceback=None,
            now=utc_now(),
        )

    def give_back(self, requests: Sequence[Any], worker: str) -> None:
        """Give back the leases of runs that waited in the worker for their time.

        The worker's connection is lost, and the broker delivers the messages again. Without giving
        back, the next worker of a run would wait until the lease expires.
        """
        runs = {
            request.id: attempt_in(request.request_dict)
            for request in requests
            if is_run(request.request_dict)
        }
        if runs:
            try:
                parts_for(self._app).events.give_back(runs, worker)
            except RedisError as error:
                log.warning(
                    "%d runs could not be given back, and start half a minute later: %s",
                    len(runs),
                    error,
                )

    def _pause_failing(self) -> None:
        """Pause the schedules with too many failed ticks in a row.

        Where a schedule cannot be paused, the next failure tries again.
        """
        services = parts_for(self._app)
        while services.events.streaks:
            streak = services.events.streaks.pop()
            reason = f"{streak.failures} ticks in a row failed"
            try:
                services.operations.pause(
                    streak.name, reason=reason, edit=Edit(actor=PAUSER, now=utc_now())
                )
                services.leases.forget_failures(streak.uid)
            except (BeatdeskError, RedisError, OSError) as error:
                log.warning("%s is not paused, though %s: %s", streak.name, reason, error)
            else:
                log.error("%s is paused: %s", streak.name, reason)

    def _canceller(self, run: str) -> str | None:
        """Return the actor who cancelled the run.

        None where Redis cannot say: the event is recorded without an actor.
        """
        try:
            return parts_for(self._app).cancellations.actor(run)
        except (RedisError, ValueError, KeyError) as error:
            log.warning("who cancelled run %s cannot be read: %s", run, error)
            return None

    def _attempt(self, task: Any, run: str) -> tuple[Any, str | None]:
        """Return retries and worker of a run, from the task's own context.

        Where the context is another task's (the main process sees a hard time limit), from the
        message that the worker took; (0, None) without a message either.
        """
        context = task.request
        if context.id == run:
            return executions_before(context), context.hostname
        request = self._taken.get(run)
        if request is None:
            return 0, None
        return attempt_in(request.request_dict) - 1, request.hostname


def executions_before(request: Any) -> int:
    """Return the number of a run's executions before that of the context.

    Retries count, and so do deliveries whose worker ended.
    """
    return attempt_of(request.retries) - 1 + deliveries_of(request.headers)


def end_of(request: Any) -> datetime:
    """Return when the job's function ended (`execution.runtime`); the present where it did not."""
    ended_at: datetime | None = getattr(request, "ended_at", None)
    return utc_now() if ended_at is None else ended_at


def _text(trace: Any) -> str | None:
    return None if trace is None else str(trace)
