"""One order of priorities, whatever the broker: 0 is taken first, 9 last, and a message without one
is taken as with 0.

That is Redis's order. RabbitMQ takes the greatest number first, of a queue that was made with
`x-max-priority`, which it can be made with only once. So with `rabbitmq_priorities` queues are made
with it, and numbers are turned around on their way out (`TurnedAMQP`) and in (`as_said`), further
attempts and follow-ups included.
"""

from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP

from scheduler.celery_app.queues import LOWEST_PRIORITY


class TurnedAMQP(AMQP):
    """Celery's sender, whose messages have RabbitMQ's order."""

    def _create_task_sender(self) -> Any:
        send = super()._create_task_sender()  # type: ignore[misc] # celery-types does not know it

        def send_turned(*given: Any, priority: int | None = None, **options: Any) -> Any:
            return send(*given, priority=turned(priority or 0), **options)

        return send_turned


def turned(priority: int) -> int:
    """The number for the same place in the other order."""
    return LOWEST_PRIORITY - min(max(priority, 0), LOWEST_PRIORITY)


def as_said(strategy: Callable[..., Any]) -> Callable[..., Any]:
    """Celery's way from a message to a task, for messages with RabbitMQ's order: the job sees what
    was asked for.
    """

    def strategy_as_said(message: Any, *given: Any, **options: Any) -> Any:
        message.properties["priority"] = turned(message.properties.get("priority") or 0)
        return strategy(message, *given, **options)

    return strategy_as_said


def are_turned(app: Celery) -> bool:
    """Does this app give its messages RabbitMQ's order?"""
    return isinstance(app.amqp, TurnedAMQP)
