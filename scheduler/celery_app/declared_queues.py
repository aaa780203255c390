"""Declaration of the queues on RabbitMQ, which refuses an existing queue with other arguments."""

from typing import Any

from amqp.exceptions import AccessRefused, PreconditionFailed
from celery import Celery

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.errors import Refused


def make(app: Celery, connection: Any) -> None:
    """Declare the queues on RabbitMQ.

    `connection` is kombu's. Does nothing for an app of another class, which Beat may be given:
    Celery declares the queues of such an app while publishing. Raises Refused for an existing queue
    with other arguments, because RabbitMQ would refuse to publish to the queue and to consume from
    the queue; raises the errors of the connection.
    """
    if not isinstance(app, BeatdeskApp):
        return
    refusals = {name: _refusal(app, connection, name) for name in (*QUEUES, CELERYS_QUEUE)}
    refused = {name: reason for name, reason in refusals.items() if reason}
    if refused:
        names = ", ".join(refused)
        raise Refused(
            f"RabbitMQ's queues {names} were made with other arguments "
            f"({next(iter(refused.values()))}). Where BEATDESK_RABBITMQ_PRIORITIES was switched "
            "on or off: stop Beat, let workers with the old setting empty them, stop those, and "
            "delete the queues (rabbitmqctl delete_queue NAME). All processes need one setting",
            field="rabbitmq_priorities",
        )


def _refusal(app: Celery, connection: Any, name: str) -> str:
    """Return RabbitMQ's reason against the declaration of a queue; empty where it accepts."""
    queues: Any = app.amqp.queues
    try:
        with connection.channel() as channel:
            queues[name](channel).declare()
    except PreconditionFailed as error:
        return str(error.reply_text)
    except AccessRefused:
        return ""  # this login may not declare queues: another login has declared them
    return ""
