"""Queues of every kind, and jobs with options of their own: for golden messages, and for a worker
of these jobs.
"""

from typing import Any

from celery import Celery, Task
from kombu import Exchange, Queue
from kombu.common import Broadcast

TOPIC = Exchange("news", "topic")
QUEUES = [
    Queue("celery", Exchange("celery"), routing_key="celery"),
    Queue("brief", Exchange("brief"), routing_key="brief", expires=30.0),
    Queue("sports", TOPIC, routing_key="news.sports.#"),
    Queue("all", TOPIC, routing_key="news.#"),
    Queue("direct", Exchange("letters", "direct"), routing_key="to.ada"),
    Queue("everyone", Exchange("everyone", "fanout"), routing_key="here"),
    Broadcast("loud"),
]
JOB = "golden.add"


class Proud(Task):  # type: ignore[type-arg]
    """Adds a header to every message."""

    def apply_async(self, *args: Any, **options: Any) -> Any:
        return super().apply_async(
            *args, **{**options, "headers": {**options["headers"], "proud": 1}}
        )


class Shadowy(Task):  # type: ignore[type-arg]
    """Uses its first argument as its name."""

    def shadow_name(self, args: Any, kwargs: Any, options: Any) -> str:
        return f"seen-as-{len(args or ())}"


def anything(*args: Any, **kwargs: Any) -> list[Any]:
    """A job that takes any arguments and returns them."""
    return [list(args), kwargs]


def one(x: Any) -> None:
    """A job with one argument."""


def set_up(app: Celery) -> None:
    """Give the app the queues and jobs."""
    app.conf.update(
        task_queues=QUEUES,
        task_routes={
            "golden.routed": {"queue": "all-of-them", "priority": 9},
            "golden.many.*": "many",
            "golden.heavy": {"queue": "heavy", "priority": 6},
        },
    )
    app.task(name=JOB)(anything)
    app.task(name="golden.strict")(one)
    app.task(name="golden.routed")(anything)
    app.task(name="golden.heavy", time_limit=9, soft_time_limit=5)(anything)
    app.task(name="golden.expiring", expires=60)(anything)
    app.task(name="golden.proud", base=Proud)(anything)
    app.task(name="golden.shadowy", base=Shadowy)(anything)
