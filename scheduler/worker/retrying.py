"""Attempts that a schedule allows beyond those that its task declares itself: no line in the job's
code is needed.

Each job's function is wrapped when a worker starts. Where it raises, and the message says that
attempts are left, the next one is sent through Celery's own machinery: same run, same arguments,
same headers, later. What the task retries by itself never arrives here. Where the job's process is
killed, the worker's main process sends it (`requests`).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from celery import Celery
from celery.app.trace import build_tracer
from celery.exceptions import Retry, TaskPredicate

from scheduler.errors import BadArguments
from scheduler.rules.policies import backoff
from scheduler.runs.headers import is_job
from scheduler.runs.own_header import decode, updated


class NextAttempt(NamedTuple):
    """A message for a further attempt, to be sent, and the seconds until it may start."""

    signature: Any
    wait: float


def install(app: Celery, hostname: str | None = None) -> None:
    """Wrap every job. Called again, in a child that was not forked, it wraps those that are not
    wrapped yet.
    """
    tasks: dict[str, Any] = app.tasks
    for name, task in tasks.items():
        if is_job(name) and not hasattr(task.run, "tried_again"):
            task.run = _tried_again(task, task.run)
            task.Request = "scheduler.worker.requests:FollowedRequest"
            if task.__trace__ is not None:
                task.__trace__ = build_tracer(name, task, app.loader, hostname, app=app)


def _tried_again(task: Any, run: Callable[..., Any]) -> Callable[..., Any]:
    """The job's function, with what follows a failure."""

    @wraps(run)
    def tried(*args: Any, **kwargs: Any) -> Any:
        try:
            return run(*args, **kwargs)
        except (TaskPredicate, BadArguments):  # what is called wrongly stays so
            raise
        except Exception as error:
            _send_next(task, error)
            raise

    tried.tried_again = True  # type: ignore[attr-defined] # the mark for `install`
    return tried


def _send_next(task: Any, error: Exception) -> None:
    """Send the next attempt, if there is one, and say so by raising Retry. A failure to send is the
    job's failure.
    """
    if task.request.called_directly:
        return
    following = next_attempt(task, task.request)
    if following is None:
        return
    following.signature.apply_async()
    raise Retry(exc=error, when=following.wait, sig=following.signature) from error  # type: ignore[arg-type] # a number


def next_attempt(task: Any, request: Any) -> NextAttempt | None:
    """The attempt that follows `request` as its schedule says; none where no more are allowed."""
    headers = request.headers or {}
    own = decode(headers)
    if not own.retries or own.backoff is None:
        return None
    first = request.retries if own.attempts_before is None else own.attempts_before
    wait = backoff.delay(request.retries - first + 1, own.backoff, str(request.id))
    again = task.signature_from_request(
        request,
        countdown=wait,
        retries=request.retries + 1,
        expires=None,  # the deadline was for the start, and the run has started
        headers=updated(headers, retries=own.retries - 1, attempts_before=first),
    )
    return NextAttempt(again, wait)
