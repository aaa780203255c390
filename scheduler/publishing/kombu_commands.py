"""The Redis commands with which kombu would send a call's message. Nothing is sent here.

Celery and kombu do the work themselves: routing, priorities, `x-expires`, fanout, prefixes,
signals. kombu 5.7 can gather the messages of a producer (`Producer.batch()`). A `_Collector` in
place of the batch receives the final commands instead of a connection. No public interface offers
the commands: kombu is pinned, and tests compare the keys and values that stock kombu leaves in
Redis with the commands made here.

Celery takes 200 µs and more for a message. Where no other code influences messages, Celery makes
one message for each job and set of options, and the message serves as the `Template` of all
messages that differ only in run, arguments, time and headers.

Celery makes each message where other code does have influence: publish signals of other receivers,
an overridden `apply_async` or `send_task`, routes in code (except `job_route`, which depends on job
and options only), sent-events, a serializer other than JSON, compression, exchanges with bindings
in Redis. Receivers of publish signals then run when the message is made, just before it enters the
queue. A job whose own `apply_async` ignores the given producer sends by itself, and at once.
"""

import logging
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from celery import Celery, signals
from celery.app.amqp import AMQP
from celery.app.routes import MapRoute
from celery.app.task import Task
from kombu.exceptions import OperationalError
from redis.exceptions import DataError, RedisError

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.celery_app.connection import ReplaceableAMQP
from scheduler.celery_app.queues import job_route
from scheduler.errors import BeatdeskError
from scheduler.messages import envelope
from scheduler.publishing.calls import (
    Call,
    Command,
    NotTaken,
    Rendered,
    Unsendable,
)
from scheduler.publishing.message_template import Template
from scheduler.queues.timeouts import ANSWER_SECONDS, call_with_timeout
from scheduler.runs.headers import Message, is_job
from scheduler.worker.sent_runs import collecting

log = logging.getLogger(__name__)

JSON = "application/json"

MOST_TEMPLATES = 10_000
"""The most templates in memory, about 3 KB each; beyond, all are dropped and made again."""

_OWN = {"task_id", "headers", "expires", "countdown"}
"""Options that a template leaves open."""

_WITHOUT_EFFECT = {"retry", "retry_policy"}
"""Options that say how to publish, and leave the message alone."""

_FIXED = {
    "queue",
    "exchange",
    "exchange_type",
    "routing_key",
    "priority",
    "serializer",
    "compression",
    "delivery_mode",
    "time_limit",
    "soft_time_limit",
    "ignore_result",
    "shadow",
}
"""Options with a template for each value."""


class Renderer:
    """Makes messages, for a single thread. Its first use of Celery connects to the broker.

    `patience` is the limit in seconds for connecting to the broker, and for each of its replies.
    Without `templates`, Celery makes every message.
    """

    def __init__(
        self, app: Celery, patience: float = ANSWER_SECONDS, *, templates: bool = True
    ) -> None:
        self._app: Any = app
        self._patience = patience
        self._uses_templates = templates
        self._producer: Any = None
        self._channel: Any = None
        self._templates: dict[Hashable, Template | None] = {}
        self.generation = object()
        """A new object for each set of templates."""

        self.made_by_celery = 0
        """The number of messages made by Celery's own code."""

    @property
    def can_use_templates(self) -> bool:
        """Whether messages may be made from templates, without Celery's publish signals."""
        return self._uses_templates and not _others_listen(self._app)

    def template(self, call: Call) -> Template | None:
        """Return the template of a call; None until Celery has made a similar message."""
        shape = _shape(call)
        return None if shape is None else self._templates.get(shape)

    def render(self, call: Call, now: datetime) -> Rendered:
        """Return the commands for a call.

        Raises Unsendable where Celery refuses the call itself; kombu's OperationalError where the
        broker does not answer in time; NotTaken where a key of the call has another type than kombu
        expects.
        """
        if not self.can_use_templates:
            return self._by_celery(call)[0]
        shape = _shape(call)
        if shape is None:
            return self._by_celery(call)[0]
        template = self._templates.get(shape)
        filled = template.fill(call, now) if template is not None else None
        if filled is not None:
            return filled
        rendered, sent = self._by_celery(call)
        if shape not in self._templates:
            if len(self._templates) >= MOST_TEMPLATES:
                self._forget_templates()
            self._templates[shape] = self._template(call, sent)
        return rendered

    def reset(self) -> None:
        """Drop the connection, the declarations made over it, and all templates."""
        channel, self._channel, self._producer = self._channel, None, None
        self._forget_templates()
        if channel is not None:
            _leave(channel)

    def _forget_templates(self) -> None:
        self._templates.clear()
        self.generation = object()

    def _by_celery(self, call: Call) -> tuple[Rendered, "_Collector"]:
        """Let Celery's own code send a call, and collect the commands."""
        self.made_by_celery += 1
        producer = self.producer()
        task = self._app.tasks.get(call.job)
        options = {**call.options, "retry": False, "producer": producer}
        with collecting() as published, _collect(producer) as sent:
            try:
                if task is not None:
                    task.apply_async(call.args, call.kwargs, **options)
                else:
                    self._app.send_task(call.job, call.args, call.kwargs, **options)
            except Exception as error:
                if _is_brokers(error):
                    self.reset()
                    raise OperationalError(f"the broker does not answer: {error}") from error
                if "WRONGTYPE" in str(error):
                    raise NotTaken(str(error)) from error
                raise Unsendable(
                    f"Celery cannot send {call.job!r}: {type(error).__name__}: {error}"
                ) from error
        calls = (message for _, message in sent.published if "task" in message["headers"])
        for message in calls:  # the others are events, or of the old protocol
            fault = envelope.fault_of(message["headers"], message["properties"])
            if fault is not None:
                raise Unsendable(f"a worker could not begin with the message: {fault}")
        if not sent.commands:
            log.warning(
                "run %s of %s reaches no queue: nothing is bound to its exchange",
                call.run,
                call.job,
            )
        messages = (tuple(published) or sent.messages(call)) if is_job(call.job) else ()
        return Rendered(tuple(sent.commands), messages), sent

    def producer(self) -> Any:
        """Return the kombu producer of Celery's messages, on a channel of its own.

        Connects if necessary, with a single try; the caller decides about retries. Raises kombu's
        OperationalError where the broker does not answer in time, BeatdeskError where the broker is
        not Redis.
        """
        if self._producer is None:
            connection = self._app.connection_for_write()
            if connection.transport.driver_type != "redis":
                raise BeatdeskError(
                    "the broker is not Redis, so that its messages cannot be written by a script"
                )
            # Workers' timeouts do not apply: Beat must not wait longer than its lock lives.
            bounds = {"socket_connect_timeout": self._patience, "socket_timeout": self._patience}
            connection.transport_options = {
                **connection.transport_options,
                **bounds,
                "retry_on_timeout": False,
            }
            try:
                self._channel = call_with_timeout(
                    self._patience, lambda: _channel_of(connection), _leave
                )
            except TimeoutError as error:
                raise OperationalError(f"the broker gives {error}") from error
            self._producer = self._app.amqp.Producer(self._channel, auto_declare=False)
        return self._producer

    def _template(self, call: Call, sent: "_Collector") -> "Template | None":
        """Return the template for similar messages; None where only Celery can make them."""
        if not sent.is_plain or not _nobody_has_a_say(self._app, call.job):
            return None
        if (
            not self._app.amqp.create_task_message(call.run, call.job)
            .headers.keys()
            .isdisjoint(call.options["headers"])
        ):
            return None
        message = sent.published[0][1]
        headers = {
            name: value
            for name, value in message["headers"].items()
            if name not in call.options["headers"]
        }
        late = (
            headers.get("expires") is not None and call.options.get("expires") is None
        )  # set by the task itself
        if (
            late
            or headers.get("stamped_headers")
            or message["content-type"] != JSON
            or "compression" in headers
        ):
            return None
        task, amqp = self._app.tasks.get(call.job), self._app.amqp
        return Template(
            app=self._app,
            channel=sent.channel,
            first=sent.commands[0][:-1],
            rest=tuple(sent.commands[1:]),
            routing_key=sent.published[0][0],
            message=message,
            headers=headers,
            check=getattr(task, "__header__", None) if task is not None and task.typing else None,
            bounds=(
                amqp.argsrepr_maxsize,
                amqp.kwargsrepr_maxsize,
                self._app.conf.task_repr_maxlevels,
            ),
        )


def _channel_of(connection: Any) -> Any:
    """Return a channel after a single try; kombu's usual way to a channel would try again."""
    with connection._reraise_as_library_errors():
        return connection.transport.create_channel(connection.transport)


def _leave(channel: Any) -> None:
    """Close a channel of `_channel_of`, and its connection."""
    connection = channel.connection.client
    channel.close()
    connection.release()


class _Collector:
    """Stands in for a producer's batch, and for the batch's pipeline in the transport."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.channel: Any = None
        self._pipe: Any = None

    def publish(self, channel: Any, message: dict[str, Any], **how: Any) -> Any:
        """Route a message, which ends in `add`. Called by kombu's producer."""
        if self._pipe is None:
            self.channel = channel
            with channel.conn_or_acquire() as client:
                self._pipe = client.pipeline(transaction=False)
        self.published.append((how["routing_key"], message))
        return channel.basic_publish(message, _publish_batch=self, **how)

    def add(self, name: str, *args: Any) -> None:
        """Record a command, with the pipeline's key prefix. Called by kombu's transport."""
        getattr(self._pipe, name)(*args)
        self.commands = [
            tuple(part if isinstance(part, bytes) else str(part) for part in parts)
            for parts, _ in self._pipe.command_stack
        ]

    @property
    def is_plain(self) -> bool:
        """Whether there is a single message, for a queue or a fanout, independent of bindings."""
        if len(self.published) != 1 or not self.commands:
            return False
        fanout = self.commands[0][0] == "PUBLISH"
        return fanout or not self.published[0][1]["properties"]["delivery_info"]["exchange"]

    def messages(self, call: Call) -> tuple[Message, ...]:
        """Return the call's messages, where Beatdesk has no `after_task_publish` receiver."""
        own = [
            (key, message)
            for key, message in self.published
            if message["headers"].get("id") == call.run
        ]
        return tuple(
            Message(message["headers"], call.args, call.kwargs, key) for key, message in own
        )


@contextmanager
def _collect(producer: Any) -> Iterator[_Collector]:
    """Collect the messages that this thread publishes by the producer within the block."""
    sent = _Collector()
    producer._batch_local.current = sent
    try:
        yield sent
    finally:
        del producer._batch_local.current


def _shape(call: Call) -> Hashable | None:
    """Return the key of the template for a call; None for a call with options beyond templates."""
    options = call.options
    expires, countdown = options.get("expires"), options.get("countdown")
    if not (expires is None or _is_moment(expires) or _is_seconds(expires)):
        return None
    if not (countdown is None or _is_seconds(countdown)) or options.get("task_id") != call.run:
        return None
    fixed = []
    for name, value in options.items():
        if name in _FIXED:
            if not (value is None or isinstance(value, str | int | float)):
                return None
            fixed.append((name, type(value), value))
        elif name not in _OWN and name not in _WITHOUT_EFFECT:
            return None
    return call.job, expires is None, not countdown, frozenset(fixed)


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 1e8


def _is_moment(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _others_listen(app: Any) -> bool:
    """Whether receivers other than Beatdesk's listen to Celery's publish signals."""
    if signals.before_task_publish.receivers or signals.task_sent.receivers:
        return True
    own = getattr(getattr(app, "run_signals", None), "published", None)
    return any(receiver != own for _, receiver in signals.after_task_publish.receivers)


def _nobody_has_a_say(app: Any, job: str) -> bool:
    """Whether Celery's own code alone makes the job's messages, from its options alone."""
    conf, task = app.conf, app.tasks.get(job)
    by_code = conf.task_send_sent_event or conf.task_always_eager or conf.task_protocol != 2
    routed = all(isinstance(route, MapRoute) or route is job_route for route in app.amqp.routes)
    celerys = type(app.amqp) in (AMQP, ReplaceableAMQP) and _sends_as_celery(app)
    if task is not None:
        celerys = (
            celerys
            and _is_celerys(task, "apply_async", Task)
            and _is_celerys(task, "shadow_name", Task)
        )
        celerys = celerys and task._dump_pydantic_arguments is None
    return routed and celerys and not by_code


def _sends_as_celery(app: Any) -> bool:
    """Whether the app sends by Celery's code; ours adds nothing to the message."""
    own = "send_task" not in vars(app) and type(app).send_task is BeatdeskApp.send_task
    return own or _is_celerys(app, "send_task", Celery)


def _is_celerys(thing: Any, method: str, base: type) -> bool:
    return method not in vars(thing) and getattr(type(thing), method) is getattr(base, method)


def _is_brokers(error: Exception) -> bool:
    """Whether the error is the broker's: the broker does not answer, or refuses every client.

    A key of another type than kombu expects is the call's error. kombu raises OperationalError for
    both, and counts even KeyError among errors of the connection.
    """
    cause = error.__cause__ if isinstance(error, OperationalError) else error
    if isinstance(error, OperationalError) and cause is None:
        return True
    return (
        isinstance(cause, RedisError | OSError)
        and not isinstance(cause, DataError)
        and "WRONGTYPE" not in str(cause)
    )
