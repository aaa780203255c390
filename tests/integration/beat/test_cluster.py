"""A Redis Cluster as the broker: Celery's kombu cannot use it, which is said before anything is
started.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from scheduler.errors import Refused
from scheduler.health import broker
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.beat.ours import OUR_BEAT
from tests.support.ports import free_port
from tests.support.processes import start_beat, start_worker
from tests.support.rabbitmq import RabbitServer
from tests.support.silent import Silent
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for


@pytest.fixture
def cluster(valkey_binary: Path, tmp_path: Path) -> Iterator[ValkeyServer]:
    """A real server in cluster mode, which has all the slots."""
    server = ValkeyServer(tmp_path / "cluster", valkey_binary, cluster=True)
    server.start()
    with server.client() as client:
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_for(
            lambda: "cluster_state:ok" in str(client.execute_command("CLUSTER", "INFO")),
            what="the cluster is up",
        )
    yield server
    server.stop()


def with_broker(settings: Settings, address: str) -> Services:
    return Services(settings.model_copy(update={"broker_url": address}))


@pytest.mark.parametrize("who", ["worker", "beat"])
def test_neither_beat_nor_a_worker_starts_on_one(
    who: str, settings: Settings, cluster: ValkeyServer
) -> None:
    settings = settings.model_copy(update={"broker_url": cluster.url})
    process = (
        start_worker(settings, wait=False)
        if who == "worker"
        else start_beat(settings, scheduler=OUR_BEAT, wait=False)
    )
    assert process.wait(30) == 1
    assert (
        "beatdesk: the server is a node of a Redis Cluster, which Celery cannot use" in process.log
    )


def test_the_refusal_names_the_setting(
    services: Services, settings: Settings, cluster: ValkeyServer, redis: Redis
) -> None:
    broker.refuse_broker(services)
    with pytest.raises(Refused, match="RabbitMQ") as refused:
        broker.refuse_broker(with_broker(settings, cluster.url))
    assert refused.value.field == "broker_url"


def test_a_broker_that_does_not_answer_is_waited_for(settings: Settings) -> None:
    broker.refuse_broker(with_broker(settings, f"redis://127.0.0.1:{free_port()}/0"))
    broker.refuse_broker(with_broker(settings, f"amqp://127.0.0.1:{free_port()}//"))


def test_the_doctor_says_how_the_broker_is(
    settings: Settings,
    services: Services,
    cluster: ValkeyServer,
    rabbit: RabbitServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broker, "PATIENCE", 0.5)
    silent = Silent()
    good = [broker.broker(services), broker.broker(with_broker(settings, rabbit.url))]
    bad = [
        broker.broker(with_broker(settings, address))
        for address in (
            cluster.url,
            f"amqp://ada:pass-word@127.0.0.1:{silent.port}//",
            f"redis://127.0.0.1:{free_port()}",
        )
    ]
    silent.end()
    assert [part.ok for part in (*good, *bad)] == [True, True, False, False, False]
    assert "Redis Cluster" in bad[0].summary
    assert "no answer" in bad[1].summary
    assert "refused" in bad[2].summary
    assert "BEATDESK_BROKER_URL" in bad[2].remedy
    assert not any(
        "pass-word" in part.summary or "correct-horse" in part.summary for part in (*good, *bad)
    )
