"""Priorities on RabbitMQ, where `rabbitmq_priorities` is set: Redis's order, 0 first, in queues
made for it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from amqp.exceptions import NotFound
from celery import Celery
from kombu import Connection
from redis import Redis

from scheduler.celery_app import declared_queues
from scheduler.celery_app.app import create_app
from scheduler.celery_app.queues import CELERYS_QUEUE, DEFAULT, QUEUES
from scheduler.errors import Refused
from scheduler.health.broker import refuse_broker
from scheduler.publishing.relay import Relay
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.beat.ours import OUR_BEAT
from tests.support.beat.road import Road, a_road
from tests.support.processes import start_beat, start_worker
from tests.support.rabbitmq import RabbitServer
from tests.support.waiting import wait_for

ALL = (*QUEUES, CELERYS_QUEUE)


@pytest.fixture
def settings(settings: Settings, rabbit: RabbitServer) -> Settings:
    given = {"jobs": ("tests.support.jobs",), "broker_url": rabbit.url, "rabbitmq_priorities": True}
    return settings.model_copy(update=given)


@pytest.fixture
def without(settings: Settings) -> Settings:
    return settings.model_copy(update={"rabbitmq_priorities": False})


@pytest.fixture
def road(settings: Settings, rabbit: RabbitServer, redis: Redis) -> Iterator[Road]:
    """A relay that may be started, with all that it needs."""
    with a_road(settings, redis, rabbit) as road:
        yield road
    rabbit.delete(*ALL)  # nobody else makes them like this


@pytest.fixture
def relay(road: Road) -> Iterator[Relay]:
    relay = road.relay()
    relay.start()
    yield relay
    relay.stop()


def test_what_has_a_higher_priority_is_taken_first(road: Road, relay: Relay) -> None:
    runs = {asked: road.put(1, priority=asked)[0] for asked in (9, 5, None, 1, 8)}
    wait_for(lambda: road.in_broker() == 5, 20, "all are in the queue")
    start_worker(road.settings, concurrency=1)

    def ended() -> list[str]:
        return [event.run for event in road.events() if event.kind == "run.succeeded"]

    wait_for(lambda: len(ended()) == 5, 30, "all have run")
    assert ended() == [runs[asked] for asked in (None, 1, 5, 8, 9)]


def test_a_number_is_turned_around_on_the_wire_only(
    road: Road, relay: Relay, rabbit: RabbitServer
) -> None:
    (run,) = road.put(1, "tests.priority", args=[], priority=7)
    wait_for(lambda: road.in_broker() == 1, 20, "it is in the queue")
    with Connection(rabbit.url) as connection, connection.channel() as channel:
        message: Any = channel.basic_get(DEFAULT)
        assert message.properties["priority"] == 2
        channel.basic_reject(message.delivery_tag, requeue=True)
    start_worker(road.settings)
    wait_for(
        lambda: any(event.kind == "run.succeeded" for event in road.events()),
        30,
        "its second attempt has run",
    )
    (end,) = [event for event in road.events() if event.kind == "run.succeeded"]
    assert (end.run, end.attempt, getattr(end, "result", None)) == (run, 2, 7)


def test_nobody_starts_on_queues_that_were_made_without(
    settings: Settings, without: Settings, road: Road
) -> None:
    refuse_broker(Services(without))
    with pytest.raises(
        Refused, match=r"critical, default, bulk, celery .*rabbitmqctl delete_queue"
    ) as refused:
        refuse_broker(Services(settings))
    assert refused.value.field == "rabbitmq_priorities"
    worker, beat = (
        start_worker(settings, wait=False),
        start_beat(settings, scheduler=OUR_BEAT, wait=False),
    )
    assert (worker.wait(30), beat.wait(30)) == (1, 1)
    assert "were made with other arguments" in worker.log
    road.broker.delete(*ALL)  # type: ignore[union-attr]
    refuse_broker(Services(settings))
    with pytest.raises(Refused, match="other arguments"):
        refuse_broker(Services(without))


def test_what_is_to_be_published_into_such_queues_waits(without: Settings, road: Road) -> None:
    refuse_broker(Services(without))
    runs = road.put(2)
    relay = road.relay()
    relay.start()
    try:
        wait_for(lambda: "other arguments" in relay.problem, 20, "the relay says why it waits")
        road.broker.delete(*ALL)  # type: ignore[union-attr]
        wait_for(road.is_empty, 20, "the outbox is empty")
    finally:
        relay.stop()
    assert road.in_broker() == len(runs)
    assert road.events() == []


def test_the_queues_of_an_app_that_is_not_ours_are_its_own(
    rabbit: RabbitServer, redis: Redis
) -> None:
    theirs = Celery("theirs", broker=rabbit.url, set_as_current=False)
    with Connection(rabbit.url) as connection:
        declared_queues.make(theirs, connection)
        with pytest.raises(NotFound), connection.channel() as channel:
            channel.queue_declare(DEFAULT, passive=True)
    theirs.close()


def test_a_queue_of_redis_needs_none_of_it(without: Settings, second_valkey: Any) -> None:
    app = create_app(
        without.model_copy(update={"broker_url": second_valkey.url, "rabbitmq_priorities": True})
    )
    assert app.conf.task_queue_max_priority is None
