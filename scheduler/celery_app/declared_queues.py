"""Our queues on RabbitMQ, which remembers how each was made, and takes no other word for it
afterwards.
"""

from typing import Any

from amqp.exceptions import AccessRefused, PreconditionFailed
from celery import Celery

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.celery_app.queues import CELERYS_QUEUE, QUEUES
from scheduler.errors import Refused


def make(app: Celery, connection: Any) -> None:
    """Make those that are not there. `connection` is kombu's, to RabbitMQ; raises what it raises.

    An app that is not ours, which our Beat may be given, has queues of its own: Celery makes them
    when it publishes. Raises Refused where some were made with other arguments: whoever takes from
    them or puts into them is refused then.
    """
    if not isinstance(app, BeatdeskApp):
        return
    refused = {
        name: why for name in (*QUEUES, CELERYS_QUEUE) if (why := _refusal(app, connection, name))
    }
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
    """Why RabbitMQ does not take our word for this queue; empty where it does."""
    known: Any = app.amqp.queues
    try:
        with connection.channel() as channel:
            known[name](channel).declare()
    except PreconditionFailed as error:
        return str(error.reply_text)
    except AccessRefused:
        return ""  # a login that may not make queues: whoever may has made them
    return ""
