"""What every job gets around its function, plain `@shared_task` functions of anybody's module too.

    run.tick, run.progress, log lines ─▶ `current`, `notes`
    secret://name                     ─▶ `secret_refs`: put in before, hidden in result, error
                                         and log lines after
    Flask's application context       ─▶ `flask_context`

Stands outside of what retries, so that a further attempt is sent with the references and never with
the secrets.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from celery.app.trace import build_tracer

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.runs.headers import attempt_of, is_job
from scheduler.worker import captured
from scheduler.worker.current import Execution, enter, leave
from scheduler.worker.event_buffer import EventBuffer
from scheduler.worker.flask_context import FlaskContext
from scheduler.worker.parts import parts_for
from scheduler.worker.progress import Bounds, ProgressLog
from scheduler.worker.progress_sender import ProgressSender
from scheduler.worker.secret_refs import Concealer, SecretStore, resolved


class Runtime:
    """The parts of one process that jobs use. `outbox` is the way of their events."""

    def __init__(self, app: BeatdeskApp, outbox: EventBuffer) -> None:
        settings = app.settings
        self._bounds = Bounds(settings.run_log_lines, settings.run_log_line_limit)
        self._secrets = SecretStore(settings.secrets_dir)
        self._flask = FlaskContext(settings.flask_app, settings.flask_url)
        stream = parts_for(app).events
        self._sender = ProgressSender(
            outbox, stream.length, settings.stream_limit, monotonic=time.monotonic
        )

    def call(self, task: Any, run: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a job's function in the midst of its run."""
        request = task.request
        if request.called_directly:
            return run(*args, **kwargs)
        attempt = attempt_of(request.retries)
        notes = ProgressLog(
            request.id, attempt, request.hostname, self._bounds, now=utc_now, wake=self._sender.wake
        )
        execution = Execution(request.id, attempt, request.headers or {}, notes)
        token = enter(execution)
        try:
            return self._inside(task, run, args, kwargs, notes)
        finally:
            leave(execution, token)
            self._sender.finish(notes)

    def _inside(
        self, task: Any, run: Callable[..., Any], args: Any, kwargs: Any, notes: ProgressLog
    ) -> Any:
        used: set[str] = set()
        args, kwargs = (
            resolved(args, self._secrets.get, used),
            resolved(kwargs, self._secrets.get, used),
        )
        if not used:
            with self._flask.around(task):
                return run(*args, **kwargs)
        concealer = Concealer(sorted(used))
        notes.conceal = concealer.text
        end = captured.guarded(concealer.text)
        try:
            with self._flask.around(task):
                return concealer.value(run(*args, **kwargs))
        except Exception as error:
            hidden = concealer.error(error)
            if hidden is error:
                raise
            raise hidden from None
        finally:
            end()


def install(app: BeatdeskApp, hostname: str | None, runtime: Callable[[], Runtime]) -> None:
    """Put it around every job of a worker. Called again, in a child that was not forked, it does
    what is left.
    """
    tasks: dict[str, Any] = app.tasks
    for name, task in tasks.items():
        if is_job(name) and not hasattr(task.run, "in_its_run"):
            task.run = _in_its_run(task, task.run, runtime)
            if task.__trace__ is not None:
                task.__trace__ = build_tracer(name, task, app.loader, hostname, app=app)


def _in_its_run(
    task: Any, run: Callable[..., Any], runtime: Callable[[], Runtime]
) -> Callable[..., Any]:
    """The job's function, with all of it."""

    @wraps(run)
    def called(*args: Any, **kwargs: Any) -> Any:
        return runtime().call(task, run, args, kwargs)

    called.in_its_run = True  # type: ignore[attr-defined] # the mark for `install`
    return called
