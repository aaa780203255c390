"""Whether the broker answers, and is one that Celery can use. Asks, changes nothing."""

from typing import TYPE_CHECKING, Any

from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from config.faults import PREFIX
from scheduler.errors import Refused
from scheduler.firing import way
from scheduler.firing.patience import within
from scheduler.status import Part
from scheduler.wiring import Desk

if TYPE_CHECKING:
    from redis import Redis

PATIENCE = 5.0
"""Seconds for which whoever asks `doctor` may wait."""

_IS_CLUSTER = "the server is a node of a Redis Cluster, which Celery cannot use"
_NO_CLUSTER = "Name a single Redis or Valkey, Redis Sentinel, or RabbitMQ"


def broker(desk: Desk) -> Part:
    """Does it answer? The Redis of the schedules has been asked already."""
    where = desk.celery.connection_for_write().as_uri().rstrip("/")
    try:
        if not _answers(desk):
            return Part(name="broker", ok=False, summary=_IS_CLUSTER, remedy=_NO_CLUSTER)
    except (RedisError, KombuError, OSError) as error:
        remedy = f"Start it, or correct {PREFIX}BROKER_URL; until then runs wait in the outbox"
        return Part(name="broker", ok=False, summary=f"{where} does not answer: {error}", remedy=remedy)
    return Part(name="broker", ok=True, summary=where)


def refuse_cluster(desk: Desk) -> None:
    """No worker and no Beat starts on a Redis Cluster. A broker that does not answer yet is waited for, not asked."""
    try:
        is_cluster = way.ask(desk.celery, _is_cluster)
    except (RedisError, KombuError, OSError):
        return
    if is_cluster:
        field = "broker_url" if desk.settings.broker_url else "redis_url"
        raise Refused(f"{_IS_CLUSTER}. {_NO_CLUSTER}", field=field)


def _answers(desk: Desk) -> bool:
    """Can it be used? Raises what kombu and redis raise where it does not answer."""
    is_cluster = way.ask(desk.celery, _is_cluster, PATIENCE)
    if is_cluster is None:
        connection = desk.celery.connection_for_write()
        within(PATIENCE, lambda: _connect(connection), lambda _: None)
    return not is_cluster


def _connect(connection: Any) -> bool:
    with connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
        return True


def _is_cluster(client: "Redis") -> bool:
    said: Any = client.info("cluster")
    return bool(said.get("cluster_enabled"))
