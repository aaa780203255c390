"""The outbox, for a broker other than the schedules' Redis: calls are added to a stream there.

    fire.lua ──XADD, in the transaction──▶ outbox ──relay──▶ broker ──▶ worker
                                                                        asks: is the run taken?

The relay publishes the calls from the stream. A run is `queued` once the entry is in the outbox:
from then on the run cannot be lost, only the time of arrival is open. While the broker is away,
entries wait. At least one copy reaches the broker, and exactly one becomes a run
(`runs.deduplication`).

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
"""Seconds that an entry may wait without a warning: longer than the restart of a broker."""


class OutboxEntry(NamedTuple):
    """A run waiting in the outbox."""

    id: str
    run: str
    job: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]


class Backlog(NamedTuple):
    """The number of waiting entries, and the waiting time of the first entry in seconds."""

    entries: int = 0
    seconds: float = 0.0


class BacklogWarnings:
    """Decides on warnings of a backlog: once the backlog is old, and at each doubling. Pure."""

    def __init__(self) -> None:
        self._warned_of = 0

    def record(self, backlog: Backlog) -> bool:
        """Record the present backlog. Returns whether to warn."""
        if backlog.seconds <= LONG_SECONDS:
            self._warned_of = 0
            return False
        if backlog.entries < 2 * self._warned_of:
            return False
        self._warned_of = backlog.entries
        return True


class OutboxRenderer:
    """The renderer of the outbox mode: an XADD for each call. Needs no connection to a broker."""

    generation: object = None
    can_use_templates = False

    def __init__(self, app: "Celery") -> None:
        self._app: Any = app

    def template(self, call: Call) -> None:
        """Return None: the relay has the message made at the time of publishing."""

    def render(self, call: Call, now: datetime) -> Rendered:
        """Return the XADD for a call. Raises Unsendable where Celery is sure to refuse the call."""
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
        """Return the queue that the configuration routes a call to.

        Raises TypeError where the job does not take the arguments.
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
    """The entry decoded. Raises ValueError for what no Beat of ours has written."""
    from kombu.utils import json

    try:
        call = json.loads(fields[FIELD])
        options = call["options"]
        entry = OutboxEntry(
            id_, options["task_id"], call["job"], call["args"], call["kwargs"], options
        )
        is_sound = _has_kinds(entry) and isinstance(options["headers"], dict)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"it is no call of a job: {type(error).__name__}: {error}") from None
    if not is_sound:
        raise ValueError("it is no call of a job: a part of it is of another kind")
    return entry


def _has_kinds(entry: OutboxEntry) -> bool:
    has_names = all(isinstance(name, str) and name for name in (entry.run, entry.job))
    return has_names and isinstance(entry.args, list | tuple) and isinstance(entry.kwargs, dict)


def marked(entry: OutboxEntry) -> dict[str, Any]:
    """Return the options for publishing an entry.

    Each copy of a message has a different mark, by which workers recognise a second copy.
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
    """Return options relative to the time of sending as moments, since an entry may wait."""
    moments: dict[str, Any] = {}
    countdown, expires = options.get("countdown"), options.get("expires")
    if countdown:
        moments |= {"countdown": None, "eta": (now + timedelta(seconds=countdown)).isoformat()}
    if isinstance(expires, int | float):
        expires = now + timedelta(seconds=expires)
    if isinstance(expires, datetime):
        moments["expires"] = expires.isoformat()
    return moments
