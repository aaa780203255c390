"""The way to a broker that is not the Redis of the schedules: a call is put into a stream there,
and published from it.

    fire.lua ──XADD, in the transaction──▶ outbox ──relay──▶ broker ──▶ worker
                                                                        asks: is the run taken?

A run is `queued` when its entry is in the outbox: from then on it cannot be lost any more, and only
its moment of arrival is open. That the broker is away shows as entries that wait. At least one copy
reaches the broker, and exactly one becomes a run (`runs.deduplication`).

Celery is imported where a call is made or read: whoever only asks how much waits (`backlog`) does
not need it.
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
"""How long an entry may wait before that is worth a warning: longer than a broker takes to start
anew.
"""


class OutboxEntry(NamedTuple):
    """A run that waits in the outbox."""

    id: str
    run: str
    job: str
    args: list[Any]
    kwargs: dict[str, Any]
    options: dict[str, Any]


class Backlog(NamedTuple):
    """What waits to be published, and for how many seconds the first of it does."""

    entries: int = 0
    seconds: float = 0.0


class GrowthWatch:
    """Remembers of how large a backlog was warned, so that one that stays is not told again and
    again. Pure.
    """

    def __init__(self) -> None:
        self._told = 0

    def is_news(self, now: Backlog) -> bool:
        """Has the first waited for too long, and are there twice as many as when that was said
        last?
        """
        if now.seconds <= LONG_SECONDS:
            self._told = 0
            return False
        if now.entries < 2 * self._told:
            return False
        self._told = now.entries
        return True


class OutboxRenderer:
    """Makes the command that puts a call into the outbox. Needs no connection to the broker."""

    generation: object = None
    repeats = False

    def __init__(self, app: "Celery") -> None:
        self._app: Any = app

    def template(self, call: Call) -> None:
        """There is none: the message is made when it is published."""

    def render(self, call: Call, now: datetime) -> Rendered:
        """The XADD for this call. Raises Unsendable where it is seen now already that Celery will
        refuse it.
        """
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
        told = (Message(headers, call.args, call.kwargs, queue),) if is_job(call.job) else ()
        return Rendered((("XADD", keys.OUTBOX_STREAM, "*", FIELD, text),), told)

    def reset(self) -> None:
        """There is nothing to forget."""

    def _queue(self, call: Call, options: Mapping[str, Any]) -> str | None:
        """The queue that the configuration routes it to; also the check that the job takes these
        arguments.
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
    """Read an entry. Raises ValueError, KeyError, TypeError."""
    from kombu.utils import json

    call = json.loads(fields[FIELD])
    return OutboxEntry(
        id_, call["options"]["task_id"], call["job"], call["args"], call["kwargs"], call["options"]
    )


def marked(entry: OutboxEntry) -> dict[str, Any]:
    """The options to publish it with: its message gets a mark of its own, by which workers know a
    second one.
    """
    headers = updated(entry.options["headers"], outbox=uuid4().hex)
    return {**entry.options, "headers": headers, "retry": False}


def backlog(redis: "Redis") -> Backlog:
    """What waits. Raises redis.RedisError."""
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
    """Times that count from sending, as moments: an entry may have to wait."""
    moments: dict[str, Any] = {}
    countdown, expires = options.get("countdown"), options.get("expires")
    if countdown:
        moments |= {"countdown": None, "eta": (now + timedelta(seconds=countdown)).isoformat()}
    if isinstance(expires, int | float):
        expires = now + timedelta(seconds=expires)
    if isinstance(expires, datetime):
        moments["expires"] = expires.isoformat()
    return moments
