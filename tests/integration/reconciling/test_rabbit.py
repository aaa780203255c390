"""A broker that only counts its messages: a verdict takes a minute, and an empty queue."""

from collections.abc import Iterator

import pytest
from kombu import Connection

from scheduler.errors import Unavailable
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.rabbitmq import RabbitServer
from tests.support.runs.audited import Audited


@pytest.fixture
def audited(services: Services, settings: Settings, rabbit: RabbitServer) -> Iterator[Audited]:
    """Runs on RabbitMQ, in a queue of the app."""
    there = Services(settings.model_copy(update={"broker_url": rabbit.url}))
    yield Audited(there)
    there.celery.close()


def test_a_purged_run_is_lost_after_a_minute_and_a_waiting_one_is_not(
    audited: Audited, rabbit: RabbitServer
) -> None:
    run = audited.sent()
    assert audited.looks() == ([], [], 1)
    with Connection(rabbit.url) as connection, connection.channel() as channel:
        channel.queue_purge("later")
    for _ in range(3):
        assert audited.looks().suspects == [run]
    assert audited.looks().ended == [run]
    assert audited.row(run).reason == "message_gone"


def test_a_deleted_queue_is_named(audited: Audited, rabbit: RabbitServer) -> None:
    audited.schedule = audited.schedule.model_copy(update={"queue": "doomed"})
    run = audited.sent()
    rabbit.delete("doomed")
    audited.looks()
    assert audited.looks(after=60).ended == [run]
    assert audited.row(run).error == "its message is gone: the broker has no queue 'doomed'"


def test_a_run_with_a_worker_is_left_alone_though_its_queue_is_empty(
    audited: Audited, rabbit: RabbitServer
) -> None:
    run = audited.sent()
    with Connection(rabbit.url) as connection, connection.channel() as channel:
        channel.basic_get("later", no_ack=True)
    audited.received(run)
    for _ in range(3):
        assert audited.looks(after=60) == ([], [], 1)


def test_nothing_is_decided_while_rabbitmq_is_away(audited: Audited, rabbit: RabbitServer) -> None:
    audited.sent()
    audited.looks()
    rabbit.stop()
    with pytest.raises(Unavailable):
        audited.looks()
