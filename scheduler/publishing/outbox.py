"""The outbox, for a broker that is not the Redis of the schedules: a call is added to a stream
there, and published from it.

    fire.lua ──XADD, in the transaction──▶ outbox ──relay──▶ broker ──▶ worker
                                                                        asks: is the run taken?

A run is `queued` once its entry is in the outbox: it cannot be lost from then on, only its arrival
is open. While the broker is away, entries wait. At least one copy reaches the broker, and exactly
one becomes a run (`runs.deduplication`).

Celery is imported where a call is made or read: callers of `backlog` do not need it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from scheduler.publishing.calls import Call, Rendered, Unsendable
from scheduler.runs.headers import Message, is_job
from scheduler.runs.own_header import updated
from scheduler.storage import keys
from scheduler.storage.server_time import seconds_of

if TYPE_CHECKING:
    from celery import Celery
    from redis import Redis

FIELD = "call"

LONG_SECONDS = 30.0
"""Seconds that an entry may wait without a warning: longer than a broker takes to restart."""


class OutboxEntry(NamedTuple):
    """A run that waits in the outbox."""

    id: str
    run: str
    job: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]


class Backlog(NamedTuple):
    """How many entries wait to be published, and for how many seconds the first of them has."""

    entries: int = 0
    seconds: float = 0.0


class BacklogWarnings:
    """When to warn of a backlog: once it is old, and again each time that it has doubled. Pure."""

    def __init__(self) -> None:
        self._warned_of = 0

    def record(self, backlog: Backlog) -> bool:
        """Record the backlog as it is now. Returns whether to warn of it."""
        if backlog.seconds <= LONG_SECONDS:
            self._warned_of = 0
            return False
        if backlog.entries < 2 * self._warned_of:
            return False
        self._warned_of = backlog.entries
        return True


class OutboxRenderer:
    """The renderer of the outbox mode: one XADD for each call. Needs no connection to a broker."""

    generation: object = None
    can_use_templates = False

    def __init__(self, app: "Celery") -> None:
        self._app: Any = app

    def template(self, call: Call) -> None:
        """None: the message is made when it is published."""

    def render(self, call: Call, now: datetime) -> Rendered:
        """The XADD for a call. Raises Unsendable where Celery is sure to refuse it."""
        from kombu.utils import json

        options = {**call.options, **_moments(call.options, now)}
        try:
            text = json.dumps(
                {"job": call.job, "args": call.args, "kwargs": call.kwargs, "options": options}
            )
            json.loads(text)
            queue = self._queue(call, options)
        except Exception as error:
            raise Unsendable(
                f"Celery cannot send {call.job!r}: {type(error).__name__}: {error}"
            ) from error
        headers = {"task": call.job, "id": call.run, **options["headers"]}
        messages = (Message(headers, call.args, call.kwargs, queue),) if is_job(call.job) else ()
        return Rendered((("XADD", keys.OUTBOX_STREAM, "*", FIELD, text),), messages)

    def reset(self) -> None:
        """Do nothing: there is no connection."""

    def _queue(self, call: Call, options: Mapping[str, Any]) -> str | None:
        """The queue that the configuration routes a call to. Raises TypeError where the job does
        not take its arguments.
        """
        from kombu import Queue

        task = self._app.tasks.get(call.job)
        if task is not None and task.typing:
            task.__header__(*call.args, **call.kwargs)
        own = (
            {}
            if task is None
            else {name: value for name, value in task._get_exec_options().items() if value}
        )
        routed = self._app.amqp.router.route(
            {**own, **options}, call.job, call.args, call.kwargs, task
        )
        queue = routed.get("queue")
        return queue.name if isinstance(queue, Queue) else routed.get("routing_key")


def entry_of(id_: str, fields: Mapping[str, str]) -> OutboxEntry:
    """The entry decoded. Raises ValueError, KeyError, TypeError."""
    from kombu.utils import json

    call = json.loads(fields[FIELD])
    return OutboxEntry(
        id_, call["options"]["task_id"], call["job"], call["args"], call["kwargs"], call["options"]
    )


def marked(entry: OutboxEntry) -> dict[str, Any]:
    """The options to publish an entry with. Each copy of its message has a mark of its own, by
    which workers recognise a second one.
    """
    headers = updated(entry.options["headers"], outbox=uuid4().hex)
    return {**entry.options, "headers": headers, "retry": False}


def backlog(redis: "Redis") -> Backlog:
    """The backlog of the outbox. Raises redis.RedisError."""
    with redis.pipeline(transaction=True) as pipe:
        pipe.xlen(keys.OUTBOX_STREAM)
        pipe.xrange(keys.OUTBOX_STREAM, count=1)
        pipe.time()
        count, first, time = pipe.execute()
    if not first:
        return Backlog(count, 0.0)
    since = int(first[0][0].split("-")[0]) / 1000
    return Backlog(count, max(seconds_of(time) - since, 0.0))


def _moments(options: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Options that count from sending, as moments, since an entry may have to wait."""
    moments: dict[str, Any] = {}
    countdown, expires = options.get("countdown"), options.get("expires")
    if countdown:
        moments |= {"countdown": None, "eta": (now + timedelta(seconds=countdown)).isoformat()}
    if isinstance(expires, int | float):
        expires = now + timedelta(seconds=expires)
    if isinstance(expires, datetime):
        moments["expires"] = expires.isoformat()
    return moments
