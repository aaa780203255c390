"""Requests of a worker's main process, with the end of a job whose process was killed or exceeded
its hard time limit.

Nothing was raised in such a job, so `retrying` could not send its next attempt from there. Where
the schedule has attempts left, the next one is sent from here; elsewhere Celery makes the task's
own attempts, and then a failure. A task with unlimited attempts (`max_retries=None`) has at most
`MOST_LOST` of them after lost processes: a job that kills its process each time must not go round
for ever.
"""

import logging
from typing import Any

from billiard.einfo import ExceptionInfo
from celery import signals
from celery.exceptions import Retry, TimeLimitExceeded, WorkerLostError
from celery.worker import state
from celery.worker.request import Request

from scheduler.celery_app import internals
from scheduler.runs.own_header import decode, updated
from scheduler.worker import retrying

log = logging.getLogger(__name__)

MOST_LOST = 3
"""Further attempts after lost processes, of a task with unlimited attempts: Celery's own default
for `max_retries`.
"""


class FollowedRequest(Request):
    """A job's request, whose loss is followed by the attempts that its schedule allows."""

    _followed = False

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> Any:
        """Handle a job that raised, lost its process, or exceeded its time limit."""
        if self._follow(exc_info):
            return None
        if self.task.max_retries is not None or self._lost_before() < MOST_LOST:
            return super().on_failure(
                exc_info, send_failed_event=send_failed_event, return_ok=return_ok
            )
        self.task.max_retries = 0
        try:
            return super().on_failure(
                exc_info, send_failed_event=send_failed_event, return_ok=return_ok
            )
        finally:
            self.task.max_retries = None

    def _retry_worker_lost(self, exc: Any, exc_info: Any) -> Any:
        """Let Celery send a further attempt, whose header counts the lost ones."""
        if self.task.max_retries is None:
            context = internals.request_context(self)
            context.headers = updated(context.headers or {}, lost=self._lost_before() + 1)
        return super()._retry_worker_lost(exc, exc_info)  # type: ignore[misc] # newer than the stubs

    def _lost_before(self) -> int:
        return decode(internals.request_context(self).headers).lost or 0

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """Handle a time limit. The soft one is raised in the job itself."""
        if not soft and not state.should_terminate and self._follow(_time_is_over(timeout)):
            return
        super().on_timeout(soft, timeout)

    def _follow(self, exc_info: Any) -> bool:
        """Send the next attempt of a lost job. Returns whether one was sent, now or when Celery
        reported the same end before.
        """
        if self._followed or internals.was_stopped(self):
            return self._followed
        error = _error_in(exc_info)
        if isinstance(error, SystemExit | KeyboardInterrupt):  # the job has left its process
            exc_info = internals.worker_lost_info(self, error)
            error = _error_in(exc_info)
        if not isinstance(error, WorkerLostError | TimeLimitExceeded):
            return False
        context = internals.request_context(self)
        following = retrying.next_attempt(self.task, context)
        if following is None:
            return False
        try:
            following.signature.apply_async()
        except Exception:
            log.exception("run %s: its next attempt could not be sent", self.id)
            return False
        self._followed = True
        state.task_ready(self)
        self.task.request_stack.push(context)
        try:
            reason = Retry(exc=error, when=following.wait)  # type: ignore[arg-type] # a float is a number
            signals.task_retry.send(self.task, request=context, reason=reason, einfo=exc_info)
        finally:
            self.task.request_stack.pop()
        if self.task.acks_late:
            self.acknowledge()
        return True


def _error_in(exc_info: Any) -> Any:
    """The exception, without the wrapping that carries another process's traceback."""
    return getattr(exc_info.exception, "exc", exc_info.exception)


def _time_is_over(timeout: float) -> Any:
    """Exception information of a job that was killed for its time limit."""
    try:
        raise TimeLimitExceeded(timeout)
    except TimeLimitExceeded:
        return ExceptionInfo()
