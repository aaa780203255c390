"""The only door to private attributes and undocumented functions of Celery and kombu.

Read in Celery 5.7.0 and kombu 5.7.0 (`READ_IN`). Both are pinned in pyproject.toml;
`tests/unit/celery_app/test_internals.py` fails where another version has other names. To raise the
pins: run the test, read again the code that the test names, and raise `READ_IN`.

Celery and kombu are imported inside the functions, so that importing the module costs nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, NamedTuple, cast

READ_IN = {"celery": "5.7.0", "kombu": "5.7.0"}
"""Versions in which everything below was read, by distribution."""

OVERRIDDEN = {
    "celery.app.amqp:AMQP": {"_create_task_sender": ()},
    "celery.backends.base:BaseKeyValueStoreBackend": {"_get_task_meta_for": ("task_id",)},
    "kombu.transport.redis:Channel": {
        "_basic_cancel": ("consumer_tag",),
        "_brpop_read": ("options",),
        "_brpop_start": ("timeout",),
        "_on_connection_disconnect": ("connection",),
    },
    "kombu.transport.redis:MultiChannelPoller": {"_register_BRPOP": ("channel",)},
}
"""Private methods overridden by Beatdesk's classes, with parameters, by the library's class."""

READ_BY_TRANSPORT = {
    "kombu.transport.redis:Channel": (
        "_brpop_sent_at",
        "_get_message_priority",
        "_in_poll",
        "_lookup",
        "_put",
        "_q_for_pri",
    ),
    "kombu.transport.redis:MultiChannelPoller": (
        "_client_registered",
        "_register",
        "_register_LISTEN",
    ),
    "kombu.transport.redis:QoS": ("_delivered", "_flush"),
    "kombu.transport.redis:Transport": ("_deliver",),
}
"""kombu's private names used by the claiming transport (`worker.transport`), by class."""


class UnackedMessages(NamedTuple):
    """Messages that a worker's Redis channel has taken and not acknowledged."""

    channel: Any
    index_key: str
    """Name of the sorted set in which kombu keeps the time of taking, by delivery tag."""

    tags: list[str]


class RedisLayout(NamedTuple):
    """Names of kombu's keys for messages in Redis."""

    separator: str
    """Text between a queue's name and a priority, in the key of a list."""

    priorities: tuple[int, ...]
    """Priorities with a list each, the first to be taken first."""

    unacked: str
    """Key of the hash of taken and not acknowledged messages."""

    unacked_index: str
    """Key of the sorted set with the times of taking."""


def redis_layout() -> RedisLayout:
    """Return the names of kombu's keys in Redis, unchanged by Beatdesk's app."""
    from kombu.transport.redis import Channel

    return RedisLayout(
        Channel.sep,
        tuple(Channel.priority_steps),
        Channel.unacked_key,
        Channel.unacked_index_key,
    )


def redis_list(queue: str, priority: int) -> str:
    """Return the key of the list in which kombu stores a message of a priority from 0 to 9."""
    from kombu.transport.redis import Channel

    channel = object.__new__(Channel)
    return cast("str", cast(Any, channel)._q_for_pri(queue, priority))


def unacked_messages(consumer: Any) -> UnackedMessages | None:
    """Return the unacknowledged messages of a worker's consumer.

    None without an open channel to Redis. Transports other than Redis have no index of messages. A
    closed channel, as while the broker is away, remembers messages but has no connection any more.
    """
    task_consumer = getattr(consumer, "task_consumer", None)
    channel = getattr(task_consumer, "channel", None)
    qos = getattr(channel, "_qos", None)
    index_key = getattr(qos, "unacked_index_key", None)
    if channel is None or qos is None or index_key is None or channel.closed:
        return None
    return UnackedMessages(channel, index_key, list(qos._delivered))


def replace_run(app: Any, task: Any, run: Callable[..., Any], hostname: str | None) -> None:
    """Make `run` the function of a registered task.

    A started worker calls the task's tracer, which holds the old function; therefore the tracer is
    built again. `hostname` is the worker's name, for the tracer's events.
    """
    from celery.app.trace import build_tracer

    task.run = run
    if task.__trace__ is not None:
        task.__trace__ = build_tracer(task.name, task, app.loader, hostname, app=app)


def declared_run(task: Any) -> Callable[..., Any]:
    """Return the task's function as the author wrote it: `autoretry_for` wraps the function."""
    return cast("Callable[..., Any]", getattr(task, "_orig_run", task.run))


def is_declared(task: Any, option: str) -> bool:
    """Return whether a task, or the author's class, sets an option that has a Celery default."""
    from celery.app.task import Task

    own = takewhile(lambda kind: kind is not Task, task.__class__.__mro__)
    return any(option in vars(kind) for kind in own)


def execution_options(task: Any) -> dict[str, Any]:
    """Return the options of a task that is sent without options of the caller's."""
    return cast("dict[str, Any]", task._get_exec_options())


def current_app() -> Any:
    """Return the current Celery app, and not the proxy for the app.

    Any code of a user may make another app the current one, as the factory of a Flask application
    does in Flask's documentation.
    """
    from celery import current_app as proxy

    return cast(Any, proxy)._get_current_object()


def app_of_running_task() -> Any:
    """Return the app of the task that runs in the calling thread; None outside of a task."""
    from celery._state import get_current_worker_task

    task = get_current_worker_task()
    return None if task is None else task.app


@contextmanager
def as_current_app(app: Any) -> Iterator[None]:
    """Make `app` the current app of the calling thread, and restore the former app afterwards."""
    from celery import _state

    before = cast(Any, _state)._tls.current_app
    app.set_current()
    try:
        yield
    finally:
        cast(Any, _state)._set_current_app(before)


def request_context(request: Any) -> Any:
    """The context (id, retries, headers …) of a worker's request."""
    return request._context


def was_stopped(request: Any) -> bool:
    """Return whether a worker's request was cancelled or revoked before the end."""
    return bool(request._already_cancelled or request._already_revoked)


def is_with_pool(request: Any) -> bool:
    """Return whether the pool has a worker's request, or has run the request."""
    return request._apply_result is not None


def worker_lost_info(request: Any, error: BaseException) -> Any:
    """Return the exception information of a WorkerLostError, for a job that left by `error`."""
    return request._worker_lost_info(error)


def is_process_ending() -> bool:
    """Return whether a signal ends this process of a worker's pool.

    The job of such a process leaves by SystemExit.
    """
    from billiard.common import (  # type: ignore[attr-defined] # newer than its stubs
        terminate_handler_fired,
    )

    return bool(terminate_handler_fired())


def forget_cached_result(backend: Any, task_id: str) -> None:
    """Drop a result back end's cached result of a task."""
    backend._cache.pop(task_id, None)


def on_next_term_signal(worker: Any, callback: Callable[[Any], None]) -> None:
    """Let `callback` end a worker, at once and not warmly, at the next SIGTERM.

    Uses Celery's function for the handler of SIGQUIT.
    """
    from celery.apps import worker as program

    install: Any = vars(program)["install_worker_term_hard_handler"]
    install(worker, sig="SIGTERM", callback=callback)


def end_after_soft_shutdown(worker: Any) -> None:
    """End a worker as at the first SIGQUIT: after the seconds of the soft shutdown."""
    from celery.apps import worker as program

    vars(program)["on_cold_shutdown"](worker)


def end_now(worker: Any) -> None:
    """End a worker as at a SIGQUIT during the soft shutdown: running jobs are stopped at once."""
    from celery.apps import worker as program

    vars(program)["during_soft_shutdown"](worker)


def bound_sockets(connection: Any, seconds: float) -> None:
    """Let no open socket of a broker connection wait longer than `seconds`."""
    from celery.utils.threads import (  # type: ignore[attr-defined] # unknown to celery-types
        bound_open_broker_sockets,
    )

    bound_open_broker_sockets(connection, seconds)


def create_channel(connection: Any) -> Any:
    """Return a new channel of a kombu connection. Raises kombu.exceptions.OperationalError.

    `connection.channel()` would ask the broker twice, and try again after a failure.
    """
    with connection._reraise_as_library_errors():
        return connection.transport.create_channel(connection.transport)
