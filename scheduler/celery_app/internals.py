"""The one door to what Celery and kombu do not promise: private attributes and undocumented
functions.

Read in Celery 5.7.0 and kombu 5.7.0 (`READ_IN`). Both are pinned in pyproject.toml;
`tests/unit/celery_app/test_internals.py` fails where another version names something differently.
Whoever raises the pins runs that test, reads again what it names, and raises `READ_IN`.

Celery and kombu are imported inside the functions, so that importing this module costs nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, NamedTuple, cast

READ_IN = {"celery": "5.7.0", "kombu": "5.7.0"}
"""The versions in which everything below was read, by distribution."""

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
"""Private methods that classes of ours override, with their parameters, by the library's class."""

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
"""Private names of kombu's that the claiming transport (`worker.transport`) uses, by class."""


class UnackedMessages(NamedTuple):
    """The messages that a worker's Redis channel has taken and not acknowledged."""

    channel: Any
    index_key: str
    """Name of the sorted set in which kombu keeps the time of taking, by delivery tag."""

    tags: list[str]


class RedisLayout(NamedTuple):
    """Names under which kombu stores messages in Redis."""

    separator: str
    """Text between a queue's name and a priority, in the key of a list."""

    priorities: tuple[int, ...]
    """Priorities with a list of their own, the first to be taken first."""

    unacked: str
    """Key of the hash of messages that workers have taken and not acknowledged."""

    unacked_index: str
    """Key of the sorted set with the times of taking."""


def redis_layout() -> RedisLayout:
    """Names of kombu's keys in Redis, as the app of Beatdesk leaves them."""
    from kombu.transport.redis import Channel

    return RedisLayout(
        Channel.sep,
        tuple(Channel.priority_steps),
        Channel.unacked_key,
        Channel.unacked_index_key,
    )


def redis_list(queue: str, priority: int) -> str:
    """Key of the list in which kombu stores a message of this priority, from 0 to 9."""
    from kombu.transport.redis import Channel

    channel = object.__new__(Channel)
    return cast("str", cast(Any, channel)._q_for_pri(queue, priority))


def unacked_messages(consumer: Any) -> UnackedMessages | None:
    """Unacknowledged messages of a worker's consumer; None without an open channel to Redis.

    Other transports than Redis have no such index. A closed channel, as while the broker is away,
    remembers messages but has no connection any more.
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

    A worker that has started calls the task's tracer, which holds the function it was built with,
    so the tracer is built again. `hostname` is the worker's name, for the tracer's events.
    """
    from celery.app.trace import build_tracer

    task.run = run
    if task.__trace__ is not None:
        task.__trace__ = build_tracer(task.name, task, app.loader, hostname, app=app)


def declared_run(task: Any) -> Callable[..., Any]:
    """The task's function as its author wrote it: `autoretry_for` puts another in its place."""
    return cast("Callable[..., Any]", getattr(task, "_orig_run", task.run))


def is_declared(task: Any, option: str) -> bool:
    """Whether a task, or a class of its author's, sets an option that Celery has a default for."""
    from celery.app.task import Task

    own = takewhile(lambda kind: kind is not Task, task.__class__.__mro__)
    return any(option in vars(kind) for kind in own)


def execution_options(task: Any) -> dict[str, Any]:
    """The options with which a task is sent when the caller gives none."""
    return cast("dict[str, Any]", task._get_exec_options())


def dumps_pydantic_arguments(task: Any) -> bool:
    """Whether Celery changes the task's arguments before it sends them (`pydantic=True`)."""
    return task._dump_pydantic_arguments is not None


def current_app() -> Any:
    """The current Celery app itself, and not the proxy for it.

    Any code of a user may make another app the current one, as the factory of a Flask application
    does in Flask's documentation.
    """
    from celery import current_app as proxy

    return cast(Any, proxy)._get_current_object()


def app_of_running_task() -> Any:
    """The app of the task that the worker runs in this thread; None outside of a task."""
    from celery._state import get_current_worker_task

    task = get_current_worker_task()
    return None if task is None else task.app


@contextmanager
def as_current_app(app: Any) -> Iterator[None]:
    """Make `app` the current one of this thread, and afterwards again the one from before."""
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
    """Whether a worker's request was cancelled or revoked before its end."""
    return bool(request._already_cancelled or request._already_revoked)


def is_with_pool(request: Any) -> bool:
    """Whether a worker's request was handed to the pool, which runs it, or has run it."""
    return request._apply_result is not None


def worker_lost_info(request: Any, error: BaseException) -> Any:
    """Exception information of a WorkerLostError, for a job that left its process by `error`."""
    return request._worker_lost_info(error)


def is_process_ending() -> bool:
    """Whether this process of a worker's pool ends by a signal: its job is left by SystemExit."""
    from billiard.common import (  # type: ignore[attr-defined] # newer than its stubs
        terminate_handler_fired,
    )

    return bool(terminate_handler_fired())


def forget_cached_result(backend: Any, task_id: str) -> None:
    """Drop what a result back end remembers of a task."""
    backend._cache.pop(task_id, None)


def on_next_term_signal(worker: Any, callback: Callable[[Any], None]) -> None:
    """Let `callback` end a worker, at once and not warmly, at its next SIGTERM.

    In Celery this is what installs the handler of SIGQUIT.
    """
    from celery.apps import worker as program

    install: Any = vars(program)["install_worker_term_hard_handler"]
    install(worker, sig="SIGTERM", callback=callback)


def end_after_soft_shutdown(worker: Any) -> None:
    """End a worker as at its first SIGQUIT: after the seconds of the soft shutdown."""
    from celery.apps import worker as program

    vars(program)["on_cold_shutdown"](worker)


def end_now(worker: Any) -> None:
    """End a worker as at a SIGQUIT during the soft shutdown: its jobs are stopped now."""
    from celery.apps import worker as program

    vars(program)["during_soft_shutdown"](worker)


def bound_sockets(connection: Any, seconds: float) -> None:
    """Let no open socket of a broker connection wait longer than `seconds`."""
    from celery.utils.threads import (  # type: ignore[attr-defined] # unknown to celery-types
        bound_open_broker_sockets,
    )

    bound_open_broker_sockets(connection, seconds)


def create_channel(connection: Any) -> Any:
    """A new channel of a kombu connection. Raises kombu.exceptions.OperationalError.

    `connection.channel()` would ask the broker twice, and try again where it does not answer.
    """
    with connection._reraise_as_library_errors():
        return connection.transport.create_channel(connection.transport)


@contextmanager
def collect_batch(producer: Any, batch: Any) -> Iterator[None]:
    """Hand what this thread publishes by a kombu producer to `batch` instead of the broker.

    `batch.publish(channel, message, **options)` is called for each message, where kombu calls its
    own batch of `producer.batch()`.
    """
    producer._batch_local.current = batch
    try:
        yield
    finally:
        del producer._batch_local.current
