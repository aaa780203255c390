"""Celery's result back end over the history: SQL has states and results, Redis counts chords.

Used where `RESULT_BACKEND` is not set. Only tasks in a chord store anything, so a run pays nothing
for a result. Results are those of the history: as far behind the event as the recorder is, bounded,
and with secrets hidden. The results of a chord's parts reach the chord's body whole, through Redis.
"""

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Event, local
from time import monotonic
from typing import TYPE_CHECKING, Any

from celery import states
from celery.backends.base import SyncBackendMixin
from celery.backends.redis import RedisBackend
from celery.exceptions import TaskRevokedError, TimeoutError
from celery.result import AsyncResult

from scheduler.celery_app import internals
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.errors import NotFound
from scheduler.events.bounds import bounded
from scheduler.events.schema import RunFacts
from scheduler.runs.celery_states import UNKNOWN, celery_state
from scheduler.runs.headers import is_job
from scheduler.runs.past_run import PastRun
from scheduler.worker.parts import parts_for
from scheduler.worker.signals import signals_of

if TYPE_CHECKING:
    from redis import Redis

CHORD_SECONDS = 7 * 86_400
"""Seconds that the parts of a chord are stored whose body never ran."""

OVER_SECONDS = 600
"""Seconds that a failed chord is remembered, for copies of the chord's parts."""

POLL_SECONDS = 0.5


class RunResult(AsyncResult[Any]):
    """A result that is readable without a storing back end; Celery would treat it as ignored."""

    @property
    def ignored(self) -> bool:
        """Whether the result cannot be read: never."""
        return False

    @ignored.setter
    def ignored(self, value: bool) -> None:
        """Ignored: Celery sets True for every task whose result is not stored."""


class _NoSubscription:
    """Stand-in for the subscription of Celery's Redis back end: no result is published here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def cancel_for(self, task_id: str) -> None:
        """Do nothing: there is no subscription."""


class HistoryBackend(RedisBackend):
    """States and results from the history, chords through Redis. Connects at the first use."""

    app: BeatdeskApp
    ResultConsumer: Any = _NoSubscription

    # Celery's polling, in place of the Redis back end's subscriptions.
    is_async = SyncBackendMixin.is_async
    wait_for = SyncBackendMixin.wait_for
    wait_for_pending = SyncBackendMixin.wait_for_pending
    iter_native = SyncBackendMixin.iter_native
    add_pending_result = SyncBackendMixin.add_pending_result
    remove_pending_result = SyncBackendMixin.remove_pending_result

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "expires": CHORD_SECONDS})
        self._chord = local()

    @property
    def client(self) -> "Redis":
        """The Redis client of the process."""
        return parts_for(self.app).redis

    def as_uri(self, include_password: bool = False) -> str:
        """Name of the back end in a worker's banner."""
        return "the history"

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Do nothing: no result is subscribed to."""

    def store_result(self, task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
        """Store nothing: the run's events carry the result. Returns `result`."""
        return result

    def forget(self, task_id: str) -> None:
        """Forget a cached result. The history keeps rows until `cleanup.job_history` runs."""
        internals.forget_cached_result(self, task_id)

    def on_chord_part_return(
        self, request: Any, state: str, result: Any, propagate: bool | None = None, **kwargs: Any
    ) -> None:
        """Count a part of a chord.

        Waits for a Redis that does not answer, or the chord's body would never run.
        """
        if not request.group:
            return
        self._chord.has_failed = False
        self.ensure(super().on_chord_part_return, (request, state, result), max_retries=None)
        if self._chord.has_failed:
            self.ensure(self._forget_chord, (request.group,), max_retries=None)

    def _forget_chord(self, group: str) -> None:
        """Remove the parts of a failed chord: Celery leaves the parts behind.

        A repeated part finds the mark that Celery sets after sending a chord's body.
        """
        parts = [self.get_key_for_group(group, suffix) for suffix in (".j", ".t", ".d", ".s")]
        with self.client.pipeline() as pipe:
            pipe.delete(*parts)
            pipe.set(self.get_key_for_group(group, ".c"), "done", ex=OVER_SECONDS)
            pipe.execute()

    def add_to_chord(self, group_id: str, result: Any) -> None:
        """Count a further part of a chord; the counter expires, as the chord's other keys do."""
        super().add_to_chord(group_id, result)
        self.expire(self.get_key_for_group(group_id, ".t"), CHORD_SECONDS)

    def mark_as_failure(
        self,
        task_id: str,
        exc: Any,
        traceback: Any = None,
        request: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Record the failure of a run, and of the later steps of the chain, which never run."""
        super().mark_as_failure(task_id, exc, traceback, request, *args, **kwargs)
        parent = task_id
        for step in reversed(getattr(request, "chain", None) or []):
            parent = self._never_ran(step, parent, exc) or parent

    def chord_error_from_stack(self, callback: Any, exc: Any = None) -> Any:
        """Record the failure of a chord's body, which never runs because a part has failed.

        Celery calls the body's error callbacks.
        """
        self._chord.has_failed = True
        reply = super().chord_error_from_stack(callback, exc)
        request = getattr(self.app.current_worker_task, "request", None)
        if request is not None:
            self._never_ran(callback, request.id, exc)
        return reply

    def _never_ran(self, step: Mapping[str, Any], parent: str, error: Any) -> str | None:
        """Record that a signature does not become a run.

        Returns the id of the run that will not come; None for a signature that is not a job's.
        """
        run = step["options"].get("task_id")
        job = str(step["task"])
        if not run or not is_job(job):
            return None
        facts = RunFacts(
            job=job,
            kwargs=bounded(step["kwargs"], self.app.settings.event_body_limit),
            parent=parent,
        )
        signals_of(self.app).reporter().never_ran(run, facts, error=error, now=utc_now())
        return str(run)

    def add_pending_results(self, results: Iterable[Any], weak: bool = False) -> list[Any]:
        """The results as a list; there is no subscription to make."""
        return list(results)

    def get_many(
        self,
        task_ids: Iterable[str],
        timeout: float | None = None,
        interval: float | None = None,
        *_: Any,
        on_message: Callable[[Any], Any] | None = None,
        on_interval: Callable[[], Any] | None = None,
        **__: Any,
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield ids and descriptions of the tasks, each when ready.

        `timeout` and `interval` in seconds. Raises Celery's TimeoutError where a task is not ready
        within `timeout`.
        """
        pending = list(task_ids)
        started = monotonic()
        pause = Event()
        while pending:
            for task_id in list(pending):
                meta = self.get_task_meta(task_id)
                if meta["status"] in states.READY_STATES:
                    pending.remove(task_id)
                    if on_message is not None:
                        on_message(meta)
                    yield task_id, meta
            if pending and timeout is not None and monotonic() - started >= timeout:
                raise TimeoutError(f"{len(pending)} results did not come within {timeout:g} s")
            if pending:
                if on_interval is not None:
                    on_interval()
                pause.wait(interval or POLL_SECONDS)

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        """Return a run as Celery describes a task; PENDING for a run missing in the history."""
        try:
            return meta_of(parts_for(self.app).history.run(task_id))
        except NotFound:
            return {
                "task_id": task_id,
                "status": UNKNOWN,
                "result": None,
                "traceback": None,
                "children": [],
            }


def meta_of(run: PastRun) -> dict[str, Any]:
    """Return a run in the form in which Celery's back ends describe a task."""
    state = celery_state(run.state)
    return {
        "task_id": run.id,
        "status": state,
        "result": result_of(run, state),
        "traceback": run.traceback,
        "children": [((child.id, None), None) for child in run.children],
        "date_done": run.finished_at,
        "name": run.job,
        "args": run.args,
        "kwargs": run.kwargs,
        "worker": run.worker,
        "retries": max(len(run.attempts) - 1, 0),
        "queue": run.queue,
    }


def result_of(run: PastRun, state: str) -> Any:
    """Return a run's result, or the exception for the end, to be raised by Celery in the caller."""
    if state == states.REVOKED:
        return TaskRevokedError(run.reason or run.state)
    if state in (states.FAILURE, states.RETRY):
        return exception_of(run.error or "")
    return run.result if state == states.SUCCESS else None


def exception_of(error: str) -> Exception:
    """Return the exception of a run, made again from the text `Name: message`.

    Python's own class for the name of a built-in exception that a message alone can make; otherwise
    a new class of the given name.
    """
    name, mark, text = error.partition(": ")
    builtin = getattr(builtins, name, None) if name.isidentifier() else None
    if (
        isinstance(builtin, type)
        and issubclass(builtin, Exception)
        and not issubclass(builtin, UnicodeError)
    ):
        return builtin(text) if mark else builtin()
    if not name.isidentifier():
        return Exception(error)
    kind: type[Exception] = type(name, (Exception,), {"__module__": __name__})
    return kind(text)
