"""The queues of every process, their order, and the route of a job's message."""

from typing import Any

CRITICAL = "critical"
DEFAULT = "default"
BULK = "bulk"
QUEUES = (CRITICAL, DEFAULT, BULK)
"""Queues, in the order in which a worker of several queues takes from them. Each may have workers
of its own.
"""

LOWEST_PRIORITY = 9
"""Number of the lowest priority; 0 is the highest. RabbitMQ's queues are declared with this
maximum.
"""

CELERYS_QUEUE = "celery"
"""Celery's default queue, for programs without Beatdesk's settings. Workers without `-Q` read it
too.
"""


def job_queue(
    name: str, args: Any, kwargs: Any, options: dict[str, Any], task: Any = None, **_: Any
) -> dict[str, str] | None:
    """Celery's route for a message: the queue that `@job` names, unless the sender names one.

    None where neither does, and Celery's default queue applies.
    """
    queue = getattr(task, "goes_to", None)
    return {"queue": queue} if queue and not options.get("queue") else None
