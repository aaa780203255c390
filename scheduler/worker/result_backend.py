"""Celery's results without a store of results: states and results are read from the history, and
chords are counted in Redis.

Used where `RESULT_BACKEND` is not set. Nothing is stored for a task that is no part of a chord, so
that it costs a run nothing. What is read is as the history has it: a moment behind the event (as
much as the recorder is), bounded and with secrets hidden. The results of a chord's parts are passed
on to its body whole, by way of Redis.
"""

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any

from celery import states
from celery.backends.base import SyncBackendMixin
from celery.backends.redis import RedisBackend
from celery.exceptions import TaskRevokedError, TimeoutError
from celery.result import AsyncResult

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
"""How long the parts of a chord are kept, whose body never came to run."""

POLL_SECONDS = 0.5


class RunResult(AsyncResult[Any]):
    """A result that can be asked for though no back end stores it: Celery would take it for
    ignored.
    """

    @property
    def ignored(self) -> bool:
        """Whether asking is of no use."""
        return False

    @ignored.setter
    def ignored(self, value: bool) -> None:
        """Celery says so of every task whose result is not stored."""


class _NobodyListens:
    """In place of the subscription by which Celery's Redis back end hears of results: nothing is
    published here.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def cancel_for(self, task_id: str) -> None:
        """Nothing is waited for."""


class HistoryBackend(RedisBackend):
    """States and results from the history, chords by way of Redis. Opens no connection before it is
    asked something.
    """

    app: BeatdeskApp
    _cache: dict[str, Any]
    ResultConsumer: Any = _NobodyListens

    # Celery's waiting by asking again and again, in place of the Redis back end's subscriptions.
    is_async = SyncBackendMixin.is_async
    wait_for = SyncBackendMixin.wait_for
    wait_for_pending = SyncBackendMixin.wait_for_pending
    iter_native = SyncBackendMixin.iter_native
    add_pending_result = SyncBackendMixin.add_pending_result
    remove_pending_result = SyncBackendMixin.remove_pending_result

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "expires": CHORD_SECONDS})

    @property
    def client(self) -> "Redis":
        """This process's client."""
        return parts_for(self.app).redis

    def as_uri(self, include_password: bool = False) -> str:
        """What a worker's banner calls it."""
        return "the history"

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Nobody needs to be told that a result is waited for."""

    def store_result(self, task_id: str, result: Any, state: str, *args: Any, **kwargs: Any) -> Any:
        """Nothing is stored: the run's events say it."""
        return result

    def forget(self, task_id: str) -> None:
        """What the history knows it keeps, as long as `cleanup.job_history` is told to."""
        self._cache.pop(task_id, None)

    def on_chord_part_return(
        self, request: Any, state: str, result: Any, propagate: bool | None = None, **kwargs: Any
    ) -> None:
        """Count a part of a chord. A Redis that is away is waited for, or the chord's body would
        never run.
        """
        if request.group:
            self.ensure(super().on_chord_part_return, (request, state, result), max_retries=None)

    def mark_as_failure(
        self,
        task_id: str,
        exc: Any,
        traceback: Any = None,
        request: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """A run has failed, and the steps of a chain behind it never run: they have failed as
        well.
        """
        super().mark_as_failure(task_id, exc, traceback, request, *args, **kwargs)
        parent = task_id
        for step in reversed(getattr(request, "chain", None) or []):
            parent = self._never_ran(step, parent, exc) or parent

    def chord_error_from_stack(self, callback: Any, exc: Any = None) -> Any:
        """A part has failed, so that the body never runs: its own errors' branch is called, and its
        run has failed.
        """
        answer = super().chord_error_from_stack(callback, exc)
        request = getattr(self.app.current_worker_task, "request", None)
        if request is not None:
            self._never_ran(callback, request.id, exc)
        return answer

    def _never_ran(self, step: Mapping[str, Any], parent: str, error: Any) -> str | None:
        """Tell that a signature will not become a run, if it is one of a job; the id that its run
        would have had.
        """
        run, job = step["options"].get("task_id"), str(step["task"])
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
        """Nothing needs to be listened for."""
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
        """What is asked for, each when it is ready. Raises Celery's TimeoutError where that takes
        too long.
        """
        left, begun, never = list(task_ids), monotonic(), Event()
        while left:
            for task_id in list(left):
                meta = self.get_task_meta(task_id)
                if meta["status"] in states.READY_STATES:
                    left.remove(task_id)
                    if on_message is not None:
                        on_message(meta)
                    yield task_id, meta
            if left and timeout is not None and monotonic() - begun >= timeout:
                raise TimeoutError(f"{len(left)} results did not come within {timeout:g} s")
            if left:
                if on_interval is not None:
                    on_interval()
                never.wait(interval or POLL_SECONDS)

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        """Celery's view of a run."""
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
    """A run as Celery's back ends describe a task."""
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
    """A run's result, or the exception that stands for its end: Celery raises what it finds
    here.
    """
    if state == states.REVOKED:
        return TaskRevokedError(run.reason or run.state)
    if state in (states.FAILURE, states.RETRY):
        return exception_of(run.error or "")
    return run.result if state == states.SUCCESS else None


def exception_of(error: str) -> Exception:
    """The exception that a run failed with, as far as its text tells: of the same name, and of
    Python's own class where it is one of those that may be raised by their message."""
    name, mark, said = error.partition(": ")
    known = getattr(builtins, name, None) if name.isidentifier() else None
    if (
        isinstance(known, type)
        and issubclass(known, Exception)
        and not issubclass(known, UnicodeError)
    ):
        return known(said) if mark else known()
    if not name.isidentifier():
        return Exception(error)
    kind: type[Exception] = type(name, (Exception,), {"__module__": __name__})
    return kind(said)
