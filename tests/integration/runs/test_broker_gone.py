"""A worker's broker dies while the worker has a message and waits for another one. Redis with the
schedules stays.
"""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.celery_app.queues import DEFAULT
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.worker.claims import renew
from scheduler.worker.heartbeat import WorkerHeartbeat
from scheduler.worker.signals import RunSignals
from tests.support.processes import Process, start_worker
from tests.support.rabbitmq import RabbitServer
from tests.support.runs.stream import Stream
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

Send = Callable[..., str]

IMPATIENT = "tests.support.impatient"


@pytest.fixture
def broken_settings(job_settings: Settings, second_valkey: ValkeyServer) -> Settings:
    """The settings with a broker that the test may kill."""
    return job_settings.model_copy(update={"broker_url": second_valkey.url})


@pytest.fixture
def app(broken_settings: Settings) -> Iterator[BeatdeskApp]:
    """The app of somebody who sends jobs there."""
    app = create_app(broken_settings)
    yield app
    app.close()


@pytest.fixture
def worker(broken_settings: Settings) -> Process:
    """A worker that takes two messages at a time."""
    return start_worker(broken_settings, app=IMPATIENT, concurrency=2)


@pytest.fixture(params=["normal", "pubsub"])
def begun(
    request: pytest.FixtureRequest,
    worker: Process,
    send: Send,
    second_valkey: ValkeyServer,
    tmp_path: Path,
) -> str:
    """A run that had begun when its broker died. Its worker hears of that by its connections of
    this type first.
    """
    mark = tmp_path / "mark"
    run = send("tests.wait", 3, str(mark))
    wait_for(mark.exists, 20, "the job begins")
    with second_valkey.client() as client:
        os.kill(worker.pid, signal.SIGSTOP)
        client.client_kill_filter(_type=request.param, skipme=True)
        second_valkey.kill()
        os.kill(worker.pid, signal.SIGCONT)
    return run


def says_that_it_lives(services: Services) -> None:
    """Wait for another sign of life."""
    since = [worker.at for worker in services.catalogue.workers()]
    wait_for(
        lambda: [worker.at for worker in services.catalogue.workers()] > since, 10, "a sign of life"
    )


def test_a_worker_lives_on_by_whichever_socket_it_hears_of_its_brokers_death(
    begun: str, worker: Process, services: Services, stream: Stream, second_valkey: ValkeyServer
) -> None:
    worker.wait_for_log("Trying again in ")
    for _ in range(2):
        says_that_it_lives(services)
    second_valkey.start()
    assert stream.end(begun, timeout=40).result == "waited"
    says_that_it_lives(services)
    assert worker.running()


def test_a_claim_is_not_renewed_on_a_message_that_went_with_its_channel(
    app: BeatdeskApp, send: Send, second_valkey: ValkeyServer
) -> None:
    """Another worker is to have it."""
    send("tests.add", 1)
    connection = app.connection_for_read()
    channel = connection.default_channel
    channel.basic_get(DEFAULT)
    consumer = SimpleNamespace(task_consumer=SimpleNamespace(channel=channel))
    assert renew(consumer) == 1
    second_valkey.kill()
    connection.close()
    assert renew(consumer) == 0


def test_a_sign_of_life_that_stumbles_is_not_the_last(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    app = services.celery
    WorkerHeartbeat(app, RunSignals(app)).beat(None)
    assert "the next follows in" in caplog.text


def test_a_message_of_rabbitmqs_needs_no_claim(
    job_settings: Settings, rabbit: RabbitServer
) -> None:
    with create_app(job_settings.model_copy(update={"broker_url": rabbit.url})) as app:
        connection = app.connection_for_read()
        assert (
            renew(
                SimpleNamespace(task_consumer=SimpleNamespace(channel=connection.default_channel))
            )
            == 0
        )
        connection.close()
