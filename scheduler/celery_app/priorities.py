"""One order of priorities for every broker: 0 is taken first, 9 last; no priority counts as 0.

The order is that of kombu's Redis transport. RabbitMQ takes the greatest number first, and only
from a queue declared with `x-max-priority`. So with `rabbitmq_priorities` the queues are declared
with that argument, and numbers are turned around on the way out (`TurnedAMQP`) and on the way in
(`with_turned_priority`), for further attempts and follow-ups too.
"""

from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP

from scheduler.celery_app.queues import LOWEST_PRIORITY


class TurnedAMQP(AMQP):
    """Celery's sender of messages, with priorities in RabbitMQ's order."""

    def _create_task_sender(self) -> Any:
        send = super()._create_task_sender()  # type: ignore[misc] # missing in celery-types

        def send_turned(*given: Any, priority: int | None = None, **options: Any) -> Any:
            return send(*given, priority=turned(priority or 0), **options)

        return send_turned


def turned(priority: int) -> int:
    """Return the number for the same place in the other order, clipped to 0 to 9."""
    return LOWEST_PRIORITY - min(max(priority, 0), LOWEST_PRIORITY)


def with_turned_priority(strategy: Callable[..., Any]) -> Callable[..., Any]:
    """Return a strategy (Celery's function from message to task) for messages in RabbitMQ's order.

    The job sees the priority that the sender gave.
    """

    def turned_strategy(message: Any, *given: Any, **options: Any) -> Any:
        message.properties["priority"] = turned(message.properties.get("priority") or 0)
        return strategy(message, *given, **options)

    return turned_strategy


def are_turned(app: Celery) -> bool:
    """Return whether the app sends messages in RabbitMQ's order."""
    return isinstance(app.amqp, TurnedAMQP)
