"""What a server holds and what it told its listeners: stock Beat's messages and ours, made
comparable.
"""

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from celery import Celery
from celery.beat import ScheduleEntry, Scheduler
from redis import Redis

from scheduler.clock import utc_now
from scheduler.publishing.calls import Call
from scheduler.publishing.kombu_commands import Renderer

RUN = "6f1c1a52-9d57-5f0e-8f5a-3d1de6a0c111"
HEADERS = {
    "tick": "2026-11-21T06:00:00Z",
    "beatdesk": {"schedule": "nächtlich", "schedule_uid": "u1", "revision": 3},
}


def call_of(
    job: str,
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> Call:
    """A call as our Beat makes it."""
    own = options or {}
    headers = {**own.get("headers", {}), **HEADERS, "celery_beat_task": True}
    complete = {**own, "task_id": RUN, "headers": headers}
    return Call(job, args or [], kwargs or {}, complete, RUN)


def bind(app: Celery, producer: Any) -> None:
    """Make all queues, and let the producer's connection know: else a message to an exchange goes
    nowhere.
    """
    for queue in app.amqp.queues.values():
        queue(producer.channel).declare()


def by_stock(app: Celery, redis: "Redis", call: Call, *, bound: bool = False) -> dict[str, Any]:
    """The server's content after stock Beat has sent the entry; `bound` where queues were declared
    before.
    """
    redis.flushall()
    options = {**call.options, "headers": dict(call.options["headers"])}
    scheduler = Scheduler(app, lazy=True)
    entry = ScheduleEntry(
        name="s",
        task=call.job,
        schedule=60.0,
        args=call.args,
        kwargs=call.kwargs,
        options=options,
        app=app,
    )
    if bound:
        bind(app, scheduler.producer)
    try:
        return _effects_of(
            redis, lambda: scheduler.apply_async(entry, producer=scheduler.producer, advance=False)
        )
    finally:
        scheduler.close()


def by_us(
    app: Celery, renderer: Renderer, redis: "Redis", call: Call, *, bound: bool = False
) -> dict[str, Any]:
    """The server's content after our commands."""

    def send() -> None:
        for command in renderer.render(call, utc_now()).commands:
            redis.execute_command(*command)

    redis.flushall()
    renderer.reset()  # so that queues are declared again
    if bound:
        bind(app, renderer.producer())
    return _effects_of(redis, send)


def again_by_us(renderer: Renderer, redis: "Redis", call: Call) -> dict[str, Any]:
    """The same once more, where queues are declared already and a template may be there."""
    bindings = {key: redis.smembers(key) for key in redis.scan_iter("*_kombu.binding.*")}
    for key in redis.scan_iter("*"):
        if redis.type(key) == "list":
            redis.delete(key)
    rendered = renderer.render(call, utc_now())
    effects = _effects_of(
        redis, lambda: [redis.execute_command(*command) for command in rendered.commands]
    )
    assert {key: redis.smembers(key) for key in redis.scan_iter("*_kombu.binding.*")} == bindings
    return effects


def _effects_of(redis: "Redis", act: Callable[[], Any]) -> dict[str, Any]:
    """Everything in the server after `act`, and everything published meanwhile."""
    with redis.pubsub() as listener:
        listener.psubscribe("*")
        assert listener.get_message(timeout=5)
        act()
        redis.publish("over", "")
        published = []
        while (message := listener.get_message(timeout=5))["channel"] != "over":
            published.append((message["channel"], _plain(message["data"])))
    return {
        "published": published,
        **{key: _value(redis, key) for key in sorted(redis.scan_iter("*"))},
    }


def _value(redis: "Redis", key: str) -> Any:
    kind = redis.type(key)
    lives = redis.pttl(key) > 0
    if kind == "list":
        return lives, [_plain(text) for text in redis.lrange(key, 0, -1)]
    return lives, sorted(redis.smembers(key)) if kind == "set" else sorted(redis.zrange(key, 0, -1))


class Near(float):
    """A moment or a time in seconds, that is another's where both were made one after the other."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Near) and abs(float(self) - float(other)) < 10


def _plain(text: str) -> Any:
    """A message without what differs from sending to sending, and its times; texts keep the order
    of their parts.
    """
    message = json.loads(text)
    properties, headers = message["properties"], message["headers"]
    body = base64.b64decode(message["body"])
    times = []
    for name in (
        ("delivery_tag", "correlation_id") if headers.get("hostname") else ("delivery_tag",)
    ):
        properties.pop(name, None)
    if "expiration" in properties:
        times.append(Near(int(properties["expiration"]) / 1000))
        properties["expiration"] = "near"
    for name in ("eta", "expires"):
        if headers.get(name):
            times.append(Near(datetime.fromisoformat(headers[name]).timestamp()))
            headers[name] = "near"
    if headers.get("hostname"):  # an event: Celery writes clock and time into its body
        event = json.loads(body)
        for name in ("clock", "timestamp", "local_received"):
            event.pop(name, None)
        body = json.dumps(event).encode()
    return json.dumps({**message, "body": body.decode("latin-1")}), times


TEMPLATED: dict[str, dict[str, Any]] = {
    "nothing special": {},
    "arguments": {"args": [1, "two", None, [3.5]], "kwargs": {"deep": {"er": [True]}}},
    "unicode": {"args": ["Grüße, 世界 🎉", "\u2028"], "kwargs": {"ключ": "знач"}},
    "a job that Beat does not know": {"job": "elsewhere.job", "args": [1]},
    "a job's own queue, priority and limits": {"job": "golden.heavy"},
    "a route of the configuration": {"job": "golden.routed"},
    "a route by pattern": {"job": "golden.many.one"},
    "a queue": {"options": {"queue": "letters"}},
    "a priority": {"options": {"priority": 5}},
    "a priority that is no step": {"options": {"priority": 8}},
    "a queue that expires": {"options": {"queue": "brief", "priority": 3}},
    "to everyone": {"options": {"queue": "everyone"}},
    "an expiry in seconds": {"options": {"expires": 90}},
    "an expiry as a moment": {"options": {"expires": utc_now() + timedelta(hours=2)}},
    "a countdown": {"options": {"countdown": 45.5, "expires": 120.0}},
    "limits": {"options": {"time_limit": 20, "soft_time_limit": 10.5}},
    "headers": {"options": {"headers": {"x-trace": ["a", 1], "größe": "groß"}}},
    "how to publish": {"options": {"retry": True, "retry_policy": {"max_retries": 7}}},
    "a shadow, not kept, not persistent": {
        "options": {"shadow": "seen", "ignore_result": False, "delivery_mode": 1}
    },
}


BY_CELERY: dict[str, dict[str, Any]] = {
    "by topic": {
        "options": {
            "exchange": "news",
            "routing_key": "news.sports.golf",
            "exchange_type": "topic",
        },
        "bound": True,
    },
    "a queue of a topic": {"options": {"queue": "sports"}},
    "a broadcast, which stock puts where nobody listens": {"options": {"queue": "loud"}},
    "by direct exchange": {
        "options": {"exchange": "letters", "routing_key": "to.ada"},
        "bound": True,
    },
    "an expiry as text": {"options": {"expires": (utc_now() + timedelta(hours=2)).isoformat()}},
    "an expiry that is over": {"options": {"expires": utc_now() - timedelta(hours=2)}},
    "a moment to start": {"options": {"eta": utc_now() + timedelta(hours=1)}},
    "another serializer": {"options": {"serializer": "yaml"}},
    "compressed": {"options": {"compression": "gzip"}},
    "a header of Celery's": {"options": {"headers": {"lang": "c"}}},
    "follow-ups": {
        "options": {"link": [{"task": "golden.add", "args": [], "kwargs": {}, "options": {}}]}
    },
    "a priority that is a truth": {"options": {"root_id": "r", "priority": True}},
    "a job with an expiry of its own": {"job": "golden.expiring"},
    "a job that sends itself its own way": {"job": "golden.proud"},
    "a job that shadows": {"job": "golden.shadowy"},
}
