"""What Celery says about a run, said on to the event stream.

A receiver here must never raise: Celery would log that and go on, and the fact would be lost. Order
matters in two places, both held by tests. A worker's child delivers the end of a run before
Celery's main process hears of it and acknowledges the message. In the main process Celery puts
acknowledgements on the event loop, after the receivers of the same moment have run.

Only the root `scheduler/celery.py` connects this; receivers are roots themselves and read the
clock.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
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
    BUILT_IN,
    Message,
    attempt_of,
    is_job,
    message_of,
    queue_of,
)
from scheduler.runs.own_header import schedule_of
from scheduler.worker.event_buffer import EventBuffer
from scheduler.worker.parts import parts_for
from scheduler.worker.reporter import Reporter

log = logging.getLogger(__name__)

PAUSER = "pause_after_failures"
"""Who pauses a schedule whose ticks fail."""

LOST_CONNECTION = "cancelled: the worker lost its connection to the broker, the message comes back"

_collected = threading.local()


@contextmanager
def collecting() -> Iterator[list[Message]]:
    """What this thread would tell of as published meanwhile, for a Beat that tells it in a
    transaction of its own.
    """
    messages: list[Message] = []
    before, _collected.messages = getattr(_collected, "messages", None), messages
    try:
        yield messages
    finally:
        _collected.messages = before


def signals_of(app: BeatdeskApp) -> "RunSignals":
    """The receivers that the root has connected for this app."""
    return cast(RunSignals, app.run_signals)


class RunSignals:
    """The receivers, for one app. Each process that runs the app has a reporter of its own."""

    def __init__(self, app: BeatdeskApp) -> None:
        self._app = app
        self._reporters: dict[int, Reporter] = {}
        self._taken: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._told: str | None = None

    def connect(self) -> None:
        """Listen. Celery keeps weak references by default, so that strong ones are asked for."""
        for signal, receiver in self._receivers().items():
            signal.connect(receiver, weak=False)
        self._app.run_signals = self

    def reporter(self) -> Reporter:
        """This process's reporter."""
        reporter = self._reporters.get(os.getpid())
        if reporter is None:
            buffer = EventBuffer(parts_for(self._app).events)
            reporter = Reporter(buffer, self._app.settings.event_body_limit)
            self._reporters = {os.getpid(): reporter}
        return reporter

    def held(self) -> list[str]:
        """The runs whose messages this worker has taken, as far as Celery still knows them."""
        return list(self._taken)

    @contextmanager
    def told_of(self, run: str | None) -> Iterator[None]:
        """That this worker has taken the run is in the stream already."""
        self._told = run
        try:
            yield
        finally:
            self._told = None

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

    def published(
        self, headers: Any = None, body: Any = None, routing_key: Any = None, **_: Any
    ) -> None:
        """Beat, or a job, gave a message to the broker. A retry's message belongs to a run that is
        known.
        """
        if not _is_run(headers) or headers.get("retries"):
            return
        args, kwargs = body[:2] if isinstance(body, tuple) else ((), {})
        message = Message(headers, args, kwargs, routing_key)
        collected = getattr(_collected, "messages", None)
        if collected is not None:
            collected.append(message)
            return
        self.reporter().queued(message, now=utc_now())

    def received(self, request: Any = None, **_: Any) -> None:
        """The worker's main process took a message."""
        if not is_job(request.name):
            return
        self._taken[request.id] = request
        if request.id == self._told:
            return
        queue = queue_of(request.delivery_info)
        message = Message(request.request_dict, request.args, request.kwargs, queue)
        self.reporter().received(message, worker=request.hostname, now=utc_now())

    def started(self, task_id: str = "", task: Any = None, **_: Any) -> None:
        """A child begins."""
        if not is_job(task.name):
            return
        request = task.request
        self.reporter().started(
            task_id, request.retries, worker=request.hostname, pid=os.getpid(), now=utc_now()
        )

    def succeeded(
        self, sender: Any = None, result: Any = None, runtime: float | None = None, **_: Any
    ) -> None:
        """A child's job returned."""
        if not is_job(sender.name):
            return
        request = sender.request
        self.reporter().succeeded(
            request.id,
            request.retries,
            worker=request.hostname,
            result=result,
            runtime=runtime,
            now=utc_now(),
        )

    def over(self, task: Any = None, task_id: str = "", state: str | None = None, **_: Any) -> None:
        """A job that raised `Ignore` ended on purpose, and no other signal says so."""
        if state != "IGNORED" or not is_job(task.name):
            return
        request = task.request
        self.reporter().succeeded(
            task_id,
            request.retries,
            worker=request.hostname,
            result=Ignore.__name__,
            runtime=None,
            now=utc_now(),
        )

    def failed(
        self,
        sender: Any = None,
        task_id: str = "",
        exception: Any = None,
        einfo: Any = None,
        **_: Any,
    ) -> None:
        """A job raised, or its process was lost for good, or its time was over."""
        if not is_job(sender.name):
            return
        retries, worker = self._attempt(sender, task_id)
        trace = getattr(einfo, "traceback", None)
        self.reporter().failed(
            task_id, retries, worker=worker, error=exception, traceback=_text(trace), now=utc_now()
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
        """Celery itself stumbled around a job."""
        if not is_job(sender.name):
            return
        said = request if isinstance(request, dict) else {}
        trace = getattr(more.get("einfo"), "traceback", None)
        self.reporter().failed(
            task_id,
            said.get("retries"),
            worker=said.get("hostname"),
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
        """An attempt failed and Celery has sent the next one, or its message comes back by
        itself.
        """
        if not is_job(sender.name) or (reason is None and self._has_ended(request)):
            return
        cause = getattr(reason, "exc", None) or reason or LOST_CONNECTION
        self.reporter().retried(
            request.id,
            request.retries,
            worker=request.hostname,
            error=cause,
            traceback=_text(getattr(einfo, "traceback", None)),
            when=getattr(reason, "when", None),
            now=utc_now(),
        )

    def _has_ended(self, request: Any) -> bool:
        """Has a child told the end of a run whose message cannot be acknowledged any more? Asked of
        schedules' runs.

        Where Redis does not answer it is not known, and the first end that is told counts
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
        """A run was cancelled, or came too late."""
        if not is_job(sender.name):
            return
        about = {"worker": request.hostname, "now": utc_now()}
        if expired:
            self.reporter().expired(request.id, request.retries, **about)
            return
        self.reporter().revoked(
            request.id,
            request.retries,
            actor=self._who_cancelled(request.id),
            terminated=bool(terminated),
            **about,
        )

    def refused(self, message: Any, worker: str, why: str) -> None:
        """The worker's consumer is about to drop a message that it cannot begin with."""
        headers: Any = getattr(message, "headers", None)
        if _is_run(headers):
            self.reporter().refused(message_of(message), worker=worker, why=why, now=utc_now())

    def given_back(self, requests: Sequence[Any], worker: str) -> None:
        """These waited for their time in this worker, whose connection is over: the broker gives
        them out again.

        Whoever gets them need not wait until this worker has not been heard of for long.
        """
        runs = {
            one.id: attempt_of(one.request_dict.get("retries"))
            for one in requests
            if is_job(one.name)
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
        """Pause the schedules whose ticks have failed too often in a row. Where that fails, the
        next failure asks.
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

    def _who_cancelled(self, run: str) -> str | None:
        """Who asked for the run's end; not to know it is no reason to lose the fact."""
        try:
            return parts_for(self._app).cancellations.actor(run)
        except (RedisError, ValueError, KeyError) as error:
            log.warning("who cancelled run %s cannot be read: %s", run, error)
            return None

    def _attempt(self, task: Any, run: str) -> tuple[Any, str | None]:
        """The retries and the worker of a run, from the task's own context.

        Where that is not at hand (the main process sees a hard time limit), from the message that
        was taken.
        """
        context = task.request
        if context.id == run:
            return context.retries, context.hostname
        taken = self._taken.get(run)
        return (
            (taken.request_dict.get("retries"), taken.hostname) if taken is not None else (0, None)
        )


def _is_run(headers: Any) -> bool:
    """Do these headers name a run of a job?"""
    if not isinstance(headers, dict):
        return False
    run, name = headers.get("id"), headers.get("task")
    return (
        isinstance(run, str)
        and isinstance(name, str)
        and 0 < len(run) <= 64
        and not name.startswith(BUILT_IN)
    )


def _text(trace: Any) -> str | None:
    return None if trace is None else str(trace)
