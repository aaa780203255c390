"""The queues that every process knows, their order, and where a message of a job goes."""

from typing import Any

CRITICAL, DEFAULT, BULK = QUEUES = ("critical", "default", "bulk")
"""The queues, in the order in which a worker of several looks into them. Each may have workers of
its own.
"""

LOWEST_PRIORITY = 9
"""What is taken last; 0 is taken first. RabbitMQ's queues are made with as many."""

CELERYS_QUEUE = "celery"
"""Where programs put messages that know Celery's own settings only. Workers without `-Q` read it
too.
"""


def job_queue(
    name: str, args: Any, kwargs: Any, options: dict[str, Any], task: Any = None, **_: Any
) -> dict[str, str] | None:
    """Celery's question where a message goes: to the queue that `@job` named, unless who sends it
    says otherwise.
    """
    queue = getattr(task, "goes_to", None)
    return {"queue": queue} if queue and not options.get("queue") else None
