"""Attempts that a schedule allows beyond the task's own; the job's code needs no line for them.

Each job's function is wrapped when a worker starts. Where the function raises, and the message's
header allows a further attempt, the next attempt is sent through Celery's own machinery: run,
arguments and headers stay, the time is later. Exceptions that the task retries by itself do not
arrive here. Where the job's process is killed, the worker's main process sends the next attempt
(`requests`).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from celery import Celery
from celery.exceptions import Retry, TaskPredicate

from scheduler.celery_app import internals
from scheduler.errors import BadArguments
from scheduler.rules.policies import backoff
from scheduler.rules.policies.loss import (
    FIRST_WAIT,
    LossVerdict,
    OnLost,
    ProcessLoss,
    after_process_loss,
    stricter,
)
from scheduler.runs.headers import is_job
from scheduler.runs.own_header import decode, updated
from scheduler.worker.execution.exits import check_exit

MOST_LOST = 3
"""Further attempts after lost processes, of a task without an end of attempts.

The number is Celery's own default for `max_retries`. A job that kills its process each time must
not go round for ever.
"""


class NextAttempt(NamedTuple):
    """A message for a further attempt, to be sent, and the seconds until the attempt may start."""

    signature: Any
    wait: float


def install(app: Celery, hostname: str | None = None) -> None:
    """Wrap every unwrapped job.

    Called in the main process, and again in children; a forked child has nothing to wrap.
    """
    tasks: dict[str, Any] = app.tasks
    for name, task in tasks.items():
        if is_job(name) and not hasattr(task.run, "tried_again"):
            task.Request = "scheduler.worker.requests:FollowedRequest"
            internals.replace_run(app, task, _with_next_attempt(task, task.run), hostname)


def _with_next_attempt(task: Any, run: Callable[..., Any]) -> Callable[..., Any]:
    """Return the job's function, with sending of the next attempt after a failure."""

    @wraps(run)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return _result_of(run, args, kwargs)
        except (TaskPredicate, BadArguments):  # the same arguments fail in every attempt
            raise
        except Exception as error:
            _send_next(task, error)
            raise

    call.tried_again = True  # type: ignore[attr-defined] # the mark for `install`
    return call


def _result_of(run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Return the job's result; None for a job that leaves by `sys.exit` with success."""
    try:
        return run(*args, **kwargs)
    except (SystemExit, KeyboardInterrupt) as error:
        check_exit(error)
        return None


def _send_next(task: Any, error: Exception) -> None:
    """Send the next attempt, if one is allowed, and raise Retry for it.

    A failure to send is the job's failure.
    """
    if task.request.called_directly:
        return
    following = next_attempt(task, task.request)
    if following is None:
        return
    following.signature.apply_async()
    raise Retry(exc=error, when=following.wait, sig=following.signature) from error  # type: ignore[arg-type] # a number


def next_attempt(task: Any, request: Any, **parts: Any) -> NextAttempt | None:
    """Return the attempt that follows `request` by its schedule; None where no more are allowed.

    The wait doubles with each attempt that the schedule allowed (`rules.policies.backoff`). `parts`
    are further parts of the header `beatdesk` to change.
    """
    headers = request.headers or {}
    own = decode(headers)
    if not own.retries or own.backoff is None:
        return None
    first = request.retries if own.attempts_before is None else own.attempts_before
    wait = backoff.delay(request.retries - first + 1, own.backoff, str(request.id))
    return _attempt(task, request, wait, retries=own.retries - 1, attempts_before=first, **parts)


def after_lost_process(task: Any, request: Any) -> tuple[LossVerdict, NextAttempt | None]:
    """Return whether a job whose process died has a further attempt, and that attempt.

    The header of the next message counts the lost processes.
    """
    own = decode(request.headers or {})
    losses = own.lost or 0
    verdict = after_process_loss(
        ProcessLoss(
            schedule_retries=None if own.schedule is None else own.retries or 0,
            task_retries=declared_retries(task),
            is_unlimited=task.max_retries is None,
            retries=request.retries,
            losses=losses,
            on_lost=on_lost_of(task, own.on_lost),
        ),
        MOST_LOST,
    )
    if verdict.rule == "none":
        return verdict, None
    if verdict.rule == "schedule":
        following = next_attempt(task, request, lost=losses + 1)
        return verdict, following
    wait = FIRST_WAIT
    if internals.is_declared(task, "default_retry_delay"):
        wait = task.default_retry_delay
    return verdict, _attempt(task, request, wait, lost=losses + 1)


def declared_retries(task: Any) -> int | None:
    """Return the further attempts that a task's author declares.

    None where nothing is declared, or no limit.
    """
    if task.max_retries is None or not internals.is_declared(task, "max_retries"):
        return None
    return int(task.max_retries)


def on_lost_of(task: Any, by_schedule: OnLost | None) -> OnLost:
    """Return the consequence of losing a run's worker, by the schedule and the job."""
    return stricter(by_schedule, getattr(task, "on_lost", None))


def _attempt(task: Any, request: Any, wait: float, **parts: Any) -> NextAttempt:
    """Return a message for the next attempt, with changed `parts` of the header `beatdesk`."""
    signature = task.signature_from_request(
        request,
        countdown=wait,
        retries=request.retries + 1,
        expires=None,  # the deadline was for the start, and the run has started
        headers=updated(request.headers or {}, **parts),
    )
    return NextAttempt(signature, wait)
