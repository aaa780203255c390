"""Surroundings of a job's function, also of plain `@shared_task` functions in a user's module.

    least role, arguments             ─▶ `judge`: a call that may not run begins no job
    run.tick, run.progress, log lines ─▶ `current`, `progress`
    secret://name                     ─▶ `secret_refs`: replaced in the arguments before, hidden in
                                         result, error and log lines after
    Flask's application context       ─▶ `flask_context`

Stands outside of `retrying`'s wrapper, which makes the next attempt from the message: with the
references, never with the secrets.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any

from scheduler.celery_app import internals
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.events.access import RUN, SecretUsed, access_event
from scheduler.runs.headers import attempt_of, is_job
from scheduler.runs.own_header import deliveries_of
from scheduler.worker.event_buffer import EventBuffer
from scheduler.worker.execution import captured, streams
from scheduler.worker.execution.current import Execution, enter, leave
from scheduler.worker.execution.flask_context import FlaskContext
from scheduler.worker.execution.judge import CallJudge
from scheduler.worker.execution.progress import OWN_LOGGER, Bounds, ProgressLog
from scheduler.worker.execution.progress_sender import ProgressSender
from scheduler.worker.execution.secret_refs import Concealer, SecretStore, resolved
from scheduler.worker.introspect import is_own
from scheduler.worker.parts import parts_for
from scheduler.worker.process.pools import PREFORK, PoolAbilities


class Runtime:
    """The parts of a process that jobs use; events go to the buffer `events`."""

    def __init__(
        self, app: BeatdeskApp, events: EventBuffer, pool: PoolAbilities = PREFORK
    ) -> None:
        settings = app.settings
        self._app = app
        self._events = events
        self._pool = pool
        self._bounds = Bounds(settings.run_log_lines, settings.run_log_line_limit)
        self._secrets = SecretStore(settings.secrets_dir)
        self._judge = CallJudge(app)
        self._flask = FlaskContext(settings.flask_app, settings.flask_url)
        stream = parts_for(app).events
        self._sender = ProgressSender(
            events, stream.length, settings.stream_limit, monotonic=time.monotonic
        )

    def call(self, task: Any, run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a job's function as the current run of the job.

        Returns and raises the function's result and errors, with secrets hidden.
        """
        request = task.request
        if request.called_directly:
            self._judge.check_direct_call(task)
            return run(*args, **kwargs)
        attempt = attempt_of(request.retries) + deliveries_of(request.headers)
        progress_log = ProgressLog(
            request.id, attempt, request.hostname, self._bounds, now=utc_now, wake=self._sender.wake
        )
        execution = Execution(request.id, attempt, request.headers or {}, progress_log)
        token = enter(execution)
        if self._pool is not PREFORK:
            self._note_broken_limits(task, request, progress_log)
        try:
            return self._inside(task, run, args, kwargs, progress_log)
        finally:
            # Before the last log lines go out: a server that does not answer holds them up.
            request.ended_at = utc_now()
            leave(execution, token)
            self._sender.finish(progress_log)

    def _note_broken_limits(self, task: Any, request: Any, progress_log: ProgressLog) -> None:
        """Log in the run's log the time limits of the job that the worker's pool does not keep."""
        hard, soft = request.timelimit or (None, None)
        broken = self._pool.broken_limits(soft or task.soft_time_limit, hard or task.time_limit)
        if broken:
            progress_log.line(
                "WARNING",
                OWN_LOGGER,
                f"{broken} is not kept: the pool {self._pool.name} of this worker cannot",
            )

    def _inside(
        self, task: Any, run: Callable[..., Any], args: Any, kwargs: Any, progress_log: ProgressLog
    ) -> Any:
        used: set[str] = set()
        self._judge.check(task, args, kwargs)
        names: set[str] = set()

        def lookup(name: str) -> str:
            value = self._secrets.get(name)
            names.add(name)
            return value

        args = resolved(args, lookup, used)
        kwargs = resolved(kwargs, lookup, used)
        if not used:
            with self._surroundings(task):
                return run(*args, **kwargs)
        self._note_secrets(task, names)
        concealer = Concealer(sorted(used))
        progress_log.conceal = concealer.text
        end_concealing = captured.conceal_elsewhere(concealer.text)
        end_concealing_output = streams.conceal_output(concealer.text)
        try:
            with self._surroundings(task):
                return concealer.value(run(*args, **kwargs))
        except Exception as error:
            concealed = concealer.error(error)
            if concealed is error:
                raise
            raise concealed from None
        finally:
            end_concealing_output()
            end_concealing()

    def _note_secrets(self, task: Any, names: set[str]) -> None:
        """Send an event for each secret that the run got, before the job begins to use them."""
        actor = f"{RUN}{task.request.id}"
        now = utc_now()
        self._events.offer(
            *(
                access_event(SecretUsed, actor=actor, at=now, subject=name, detail=task.name)
                for name in sorted(names)
            )
        )

    def _surroundings(self, task: Any) -> AbstractContextManager[Any]:
        """Return Flask's context for a user's job.

        Around a job of Beatdesk's own: Beatdesk's app as Celery's current app, because the jobs
        sent by it are to run here. A user's Flask application may have made another app the current
        one, and the user's own jobs send by the user's app.
        """
        if is_own(task) and internals.current_app() is not self._app:
            return internals.as_current_app(self._app)
        return self._flask.around(task)


def install(app: BeatdeskApp, hostname: str | None, runtime: Callable[[], Runtime]) -> None:
    """Wrap every unwrapped job.

    Called in the main process, and again in children; a forked child has nothing to wrap.
    """
    CallJudge(app).connect()
    tasks: dict[str, Any] = app.tasks
    for name, task in tasks.items():
        if is_job(name) and not hasattr(task.run, "in_its_run"):
            internals.replace_run(app, task, _within_run(task, task.run, runtime), hostname)


def _within_run(
    task: Any, run: Callable[..., Any], runtime: Callable[[], Runtime]
) -> Callable[..., Any]:
    """Return the job's function, called through the process's runtime."""

    @wraps(run)
    def call(*args: Any, **kwargs: Any) -> Any:
        return runtime().call(task, run, args, kwargs)

    call.in_its_run = True  # type: ignore[attr-defined] # the mark for `install`
    return call
