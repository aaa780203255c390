"""How a worker's main process takes the end of a job whose process was killed, or was ended for its
hard time limit.

Nothing was raised in the job, so that `retrying` could not follow it there. Where the schedule has
attempts left, the next one is sent from here; where it has none, Celery does what it does: the
task's own attempts, then a failure. A task that declares no end of its attempts
(`max_retries=None`) has one here for lost processes, or a job that kills its process each time
would go round for ever.
"""

import logging
from typing import Any

from billiard.einfo import ExceptionInfo
from celery import signals
from celery.exceptions import Retry, TimeLimitExceeded, WorkerLostError
from celery.worker import state
from celery.worker.request import Request

from scheduler.runs.own_header import decode, updated
from scheduler.worker import retrying

log = logging.getLogger(__name__)

MOST_LOST = 3
"""Further attempts after lost processes, of a task that declares no end of its attempts: Celery's
own default.
"""


class FollowedRequest(Request):
    """A job's message in a worker, whose loss is followed by the attempts that its schedule
    allows.
    """

    _followed = False
    _already_cancelled: bool
    _already_revoked: bool
    _context: Any
    _worker_lost_info: Any

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> Any:
        """The job raised, its process is gone, or its time was over."""
        if self._is_followed(exc_info):
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
        """Celery sends a further attempt; it carries how many were lost."""
        if self.task.max_retries is None:
            self._context.headers = updated(
                self._context.headers or {}, lost=self._lost_before() + 1
            )
        return super()._retry_worker_lost(exc, exc_info)  # type: ignore[misc] # newer than the stubs

    def _lost_before(self) -> int:
        return decode(self._context.headers).lost or 0

    def on_timeout(self, soft: bool, timeout: float) -> None:
        """A time limit was reached. The soft one is raised in the job itself."""
        if not soft and not state.should_terminate and self._is_followed(_time_is_over(timeout)):
            return
        super().on_timeout(soft, timeout)

    def _is_followed(self, exc_info: Any) -> bool:
        """Whether a further attempt was sent, now or when the same end was told before."""
        if self._followed or self._already_cancelled or self._already_revoked:
            return self._followed
        error = _error_in(exc_info)
        if isinstance(error, SystemExit | KeyboardInterrupt):  # the job has left its process
            exc_info = self._worker_lost_info(error)
            error = _error_in(exc_info)
        if not isinstance(error, WorkerLostError | TimeLimitExceeded):
            return False
        following = retrying.next_attempt(self.task, self._context)
        if following is None:
            return False
        try:
            following.signature.apply_async()
        except Exception:
            log.exception("run %s: its next attempt could not be sent", self.id)
            return False
        self._followed = True
        state.task_ready(self)
        self.task.request_stack.push(self._context)
        try:
            reason = Retry(exc=error, when=following.wait)  # type: ignore[arg-type] # a float is a number
            signals.task_retry.send(self.task, request=self._context, reason=reason, einfo=exc_info)
        finally:
            self.task.request_stack.pop()
        if self.task.acks_late:
            self.acknowledge()
        return True


def _error_in(exc_info: Any) -> Any:
    """What was raised, without the wrapping that carries another process's traceback."""
    return getattr(exc_info.exception, "exc", exc_info.exception)


def _time_is_over(timeout: float) -> Any:
    """The end of a job that was killed for its time limit."""
    try:
        raise TimeLimitExceeded(timeout)
    except TimeLimitExceeded:
        return ExceptionInfo()
