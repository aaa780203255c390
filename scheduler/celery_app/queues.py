"""The queues of every process, the order of the queues, and the route of a job's message."""

from typing import Any

CRITICAL = "critical"
DEFAULT = "default"
BULK = "bulk"
QUEUES = (CRITICAL, DEFAULT, BULK)
"""Queues, in the order in which a worker of several queues takes messages.

Each queue may have workers of its own.
"""

LOWEST_PRIORITY = 9
"""Number of the lowest priority; 0 is the highest. Also the maximum of RabbitMQ's queues."""

CELERYS_QUEUE = "celery"
"""Celery's default queue, for programs without Beatdesk's settings.

Workers without `-Q` read it too.
"""


def job_route(
    name: str, args: Any, kwargs: Any, options: dict[str, Any], task: Any = None, **_: Any
) -> dict[str, Any] | None:
    """Return Celery's route for a message: the queue and priority of `@job`; the sender's win.

    None where neither is named, and Celery's defaults apply. Celery's own task attributes `queue`
    and `priority` have no effect from Celery 6 on; `job_route` takes over, for plain tasks too.
    """
    queue = getattr(task, "goes_to", None) or getattr(task, "queue", None)
    priority = getattr(task, "goes_with_priority", None)
    route: dict[str, Any] = {}
    if queue and not options.get("queue"):
        route["queue"] = queue
    if priority is not None and options.get("priority") is None:
        route["priority"] = priority
    return route or None
