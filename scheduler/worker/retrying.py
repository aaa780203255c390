"""Attempts that a schedule allows beyond the task's own; the job's code needs no line for them.

Each job's function is wrapped when a worker starts. Where the function raises, and the message's
header allows a further attempt, the next one is sent through Celery's own machinery: same run, same
arguments, same headers, later. Exceptions that the task retries by itself do not arrive here. Where
the job's process is killed, the worker's main process sends the next attempt (`requests`).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from celery import Celery
from celery.exceptions import Retry, TaskPredicate

from scheduler.celery_app import internals
from scheduler.errors import BadArguments
from scheduler.rules.policies import backoff
from scheduler.runs.headers import is_job
from scheduler.runs.own_header import decode, updated


class NextAttempt(NamedTuple):
    """A message for a further attempt, to be sent, and the seconds until it may start."""

    signature: Any
    wait: float


def install(app: Celery, hostname: str | None = None) -> None:
    """Wrap every job that is not wrapped yet. Called in the main process, and again in children,
    which wrap nothing where they were forked.
    """
    tasks: dict[str, Any] = app.tasks
    for name, task in tasks.items():
        if is_job(name) and not hasattr(task.run, "tried_again"):
            task.Request = "scheduler.worker.requests:FollowedRequest"
            internals.replace_run(app, task, _with_next_attempt(task, task.run), hostname)


def _with_next_attempt(task: Any, run: Callable[..., Any]) -> Callable[..., Any]:
    """The job's function, which sends the next attempt where it fails."""

    @wraps(run)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return run(*args, **kwargs)
        except (TaskPredicate, BadArguments):  # the same arguments fail in every attempt
            raise
        except Exception as error:
            _send_next(task, error)
            raise

    call.tried_again = True  # type: ignore[attr-defined] # the mark for `install`
    return call


def _send_next(task: Any, error: Exception) -> None:
    """Send the next attempt, if there is one, and raise Retry for it. A failure to send is the
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
    """The attempt that follows `request` by its schedule; None where no more are allowed.

    The wait doubles with each attempt that the schedule allowed (`rules.policies.backoff`).
    """
    headers = request.headers or {}
    own = decode(headers)
    if not own.retries or own.backoff is None:
        return None
    first = request.retries if own.attempts_before is None else own.attempts_before
    wait = backoff.delay(request.retries - first + 1, own.backoff, str(request.id))
    signature = task.signature_from_request(
        request,
        countdown=wait,
        retries=request.retries + 1,
        expires=None,  # the deadline was for the start, and the run has started
        headers=updated(headers, retries=own.retries - 1, attempts_before=first),
    )
    return NextAttempt(signature, wait)
