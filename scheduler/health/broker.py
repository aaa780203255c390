"""Health of the broker: whether the broker answers, and whether Celery can use it. Reads only."""

from typing import TYPE_CHECKING, Any

from amqp.exceptions import AMQPError
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from scheduler.celery_app import declared_queues
from scheduler.celery_app.app import is_rabbitmq
from scheduler.errors import Refused
from scheduler.health.status import Part
from scheduler.queues.broker import query_broker, visit_broker
from scheduler.services.services import Services
from scheduler.settings.errors import PREFIX
from scheduler.settings.validation import NO_CLUSTER
from scheduler.storage.connection_faults import fault_of

if TYPE_CHECKING:
    from redis import Redis

PATIENCE = 5.0
"""Seconds that `doctor` waits for the broker."""

START_PATIENCE = 3.0
"""Seconds that a silent broker may delay a start; meanwhile no Beat leads."""

_IS_CLUSTER = "the server is a node of a Redis Cluster, which Celery cannot use"


def broker(services: Services) -> Part:
    """Return the broker's part of the health; the Redis of the schedules has a part of its own."""
    where = services.celery.connection_for_write().as_uri().rstrip("/")
    try:
        if not _answers(services):
            return Part(name="broker", ok=False, summary=_IS_CLUSTER, remedy=NO_CLUSTER)
    except (RedisError, KombuError, OSError) as error:
        return _no_broker(services, where, error)
    return Part(name="broker", ok=True, summary=where)


def _no_broker(services: Services, where: str, error: Exception) -> Part:
    """The part of a broker that cannot be used, with the remedy for the kind of error."""
    fault = fault_of(error)
    setting = f"{PREFIX}{'BROKER_URL' if services.settings.broker_url else 'REDIS_URL'}"
    if fault.kind in ("other", "refused"):
        remedy = f"Start it, or correct {setting}"
        summary = f"{where} does not answer: {error}"
    else:
        remedy = fault.remedy_for(setting)
        summary = f"{where} cannot be used, {fault.words}: {error}"
    return Part(
        name="broker",
        ok=False,
        summary=summary,
        remedy=f"{remedy}; until then runs wait in the outbox",
        facts={"fault": fault.kind},
    )


def refuse_broker(services: Services) -> None:
    """Refuse to start a worker or Beat on an unusable broker. Raises Refused.

    Unusable are a node of a Redis Cluster, and a RabbitMQ with queues declared with other
    arguments. A broker that does not answer yet is left to Celery, which waits until the broker
    does.
    """
    try:
        if is_rabbitmq(services.settings.broker):
            visit_broker(
                services.celery,
                lambda connection: declared_queues.make(services.celery, connection),
                START_PATIENCE,
            )
        is_cluster = query_broker(services.celery, _is_cluster)
    except (RedisError, KombuError, AMQPError, OSError):
        return
    if is_cluster:
        field = "broker_url" if services.settings.broker_url else "redis_url"
        raise Refused(f"{_IS_CLUSTER}. {NO_CLUSTER}", field=field)


def _answers(services: Services) -> bool:
    """Return whether Celery can use the broker.

    Raises the errors of kombu and redis where the broker does not answer.
    """
    is_cluster = query_broker(services.celery, _is_cluster, PATIENCE)
    if is_cluster is None:
        visit_broker(services.celery, lambda _: None, PATIENCE)
    return not is_cluster


def _is_cluster(client: "Redis") -> bool:
    info: Any = client.info("cluster")
    return bool(info.get("cluster_enabled"))
