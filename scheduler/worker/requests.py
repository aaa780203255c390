"""Requests of a worker's main process, which also end the run of a job that lost its process.

The process was killed, exceeded the hard time limit, or ran out of memory.

A killed job raises nothing, so `retrying` could not send the next attempt from the job's process.
This module sends it, as `rules.policies.loss` decides. Celery's own further attempts after a lost
process are not used: Celery knows neither the schedules nor how often the job has killed its
process.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from billiard.einfo import ExceptionInfo
from celery import signals
from celery.exceptions import Retry, TimeLimitExceeded, WorkerLostError
from celery.worker import state
from celery.worker.request import Request

from scheduler.celery_app import internals
from scheduler.errors import JobOutOfMemory
from scheduler.rules.policies.loss import LossVerdict
from scheduler.worker import retrying
from scheduler.worker.execution.current import execution_of
from scheduler.worker.execution.progress import OWN_LOGGER, ProgressLog
from scheduler.worker.process.pools import abilities_of
from scheduler.worker.retrying import NextAttempt

log = logging.getLogger(__name__)


class FollowedRequest(Request):
    """A job's request, with the attempts that schedule and job allow after a loss."""

    _followed = False
    _is_unsent = False

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> Any:
        """Handle a job that raised, lost its process, or exceeded the time limit."""
        exc_info = self._readable(exc_info)
        if self._follow(exc_info):
            return None
        with self._decided():
            return super().on_failure(
                exc_info, send_failed_event=send_failed_event, return_ok=return_ok
            )

    @contextmanager
    def _decided(self) -> Iterator[None]:
        """Let Celery fail a run whose process is lost.

        Only where the next attempt could not be sent, the message goes back to the queue.
        """
        task: Any = self.task
        before = task.retry_on_worker_lost, task.reject_on_worker_lost
        task.retry_on_worker_lost = False
        task.reject_on_worker_lost = self._is_unsent
        try:
            yield
        finally:
            task.retry_on_worker_lost, task.reject_on_worker_lost = before

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """Handle a time limit. The soft limit is raised in the job itself."""
        if not soft and not state.should_terminate and self._follow(_time_is_over(timeout)):
            return
        super().on_timeout(soft, timeout)

    def terminate(self, pool: Any, signal: Any = None) -> None:
        """Cancel the run: end the job, or end a waiting run at once.

        A run waits in the worker for its time, or for a free process.
        """
        if self.time_start is None and not internals.is_with_pool(self):
            if not internals.was_stopped(self):
                state.revoked.add(self.id)
                self.revoked()
            return
        abilities = abilities_of(pool)
        if abilities.stops_jobs:
            super().terminate(pool, signal)
        else:
            self._note_unstoppable(abilities.name)

    def _note_unstoppable(self, pool: str) -> None:
        """Log, also in the run's log, that the job goes on to its end."""
        text = f"cancelled, and goes on to its end: the pool {pool} cannot stop a running job"
        log.warning("run %s was %s", self.id, text)
        execution = execution_of(self.id)
        if execution is not None and isinstance(execution.progress_sink, ProgressLog):
            execution.progress_sink.line("WARNING", OWN_LOGGER, text)

    def revoked(self) -> bool:
        """Whether the run is cancelled or expired.

        A run cancelled while waiting in the worker leaves the worker's lists when the run's time
        comes.
        """
        if internals.was_stopped(self):
            state.task_ready(self)
            return True
        return bool(super().revoked())

    def _readable(self, exc_info: Any) -> Any:
        """Return exception information of which Celery makes a failure, and nothing worse.

        Celery ends the whole worker for a MemoryError of a job, and the broker delivers the job's
        message again at once.
        """
        error = _error_in(exc_info)
        if isinstance(error, MemoryError):
            exc_info.exception = JobOutOfMemory(f"MemoryError: {error}".removesuffix(": "))
            exc_info.type = JobOutOfMemory
        elif isinstance(error, SystemExit | KeyboardInterrupt) and not internals.was_stopped(self):
            return internals.worker_lost_info(self, error)  # the job has left its process
        return exc_info

    def _follow(self, exc_info: Any) -> bool:
        """Send the next attempt of a lost job.

        Returns whether a next attempt was sent, now or at an earlier report of the end by Celery.
        """
        if self._followed or internals.was_stopped(self):
            return self._followed
        error = _error_in(exc_info)
        if not isinstance(error, WorkerLostError | TimeLimitExceeded):
            return False
        context = internals.request_context(self)
        following = self._next_attempt(exc_info, context)
        if following is None:
            return False
        try:
            following.signature.apply_async()
        except Exception:
            log.exception("run %s: its next attempt could not be sent", self.id)
            self._is_unsent = True
            return False
        self._followed = True
        state.task_ready(self)
        self.task.request_stack.push(context)
        try:
            reason = Retry(exc=_error_in(exc_info), when=following.wait)  # type: ignore[arg-type] # a float is a number
            signals.task_retry.send(self.task, request=context, reason=reason, einfo=exc_info)
        finally:
            self.task.request_stack.pop()
        if self.task.acks_late:
            self.acknowledge()
        return True

    def _next_attempt(self, exc_info: Any, context: Any) -> NextAttempt | None:
        """The attempt after a lost process or a time limit; None where none is allowed.

        The reason is added to the error of a lost process.
        """
        error = _error_in(exc_info)
        if not isinstance(error, WorkerLostError):
            return retrying.next_attempt(self.task, context)
        verdict, following = retrying.after_lost_process(self.task, context)
        exc_info.exception = _with_reason(error, verdict)
        return following


def _with_reason(error: WorkerLostError, verdict: LossVerdict) -> WorkerLostError:
    return WorkerLostError(f"{str(error).rstrip('.')}. The job's process was {verdict.reason}.")


def _error_in(exc_info: Any) -> Any:
    """Return the exception, without the wrapping that carries another process's traceback."""
    return getattr(exc_info.exception, "exc", exc_info.exception)


def _time_is_over(timeout: float) -> Any:
    """Return exception information of a job that was killed for a time limit."""
    try:
        raise TimeLimitExceeded(timeout)
    except TimeLimitExceeded:
        return ExceptionInfo()
