"""TLS and sockets: Redis and the broker are verified alike, each fault has its own kind, and all
processes work.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.clock import utc_now
from scheduler.health.broker import broker
from scheduler.health.status import redis_part, status
from scheduler.history.queries.views import RunFilter
from scheduler.history.schema_version import upgrade
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.builders import a_spec
from tests.support.needs import missing
from tests.support.processes import Process, env_of, start_beat, start_worker
from tests.support.rabbitmq import RabbitServer, installed
from tests.support.road import RECORDER
from tests.support.tls_redis import TlsRedis, tls_redis
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRedis]:
    """A Redis with a certificate for `localhost`, and a socket."""
    with tls_redis(tmp_path_factory.mktemp("tls")) as server:
        yield server


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("rediss://:hush@localhost:{port}/0?ssl_ca_certs={folder}/ca.pem", None),
        ("rediss://:hush@localhost:{port}/0?ssl_cert_reqs=CERT_NONE", None),
        ("rediss://:hush@localhost:{port}/0", "TLS trust"),
        ("rediss://:hush@127.0.0.1:{port}/0?ssl_ca_certs={folder}/ca.pem", "TLS host"),
        ("redis://:hush@localhost:{port}/0", "TLS expected"),
        ("rediss://:hushed@localhost:{port}/0?ssl_ca_certs={folder}/ca.pem", "login"),
        ("rediss://localhost:{port}/0?ssl_ca_certs={folder}/ca.pem", "no login"),
        ("rediss://:hush@localhost:{port}/99?ssl_ca_certs={folder}/ca.pem", "database"),
        ("unix://:hush@{folder}/r.sock?db=0", None),
        ("unix://:hush@{folder}/none.sock", "socket"),
    ],
)
def test_redis_and_broker_are_verified_alike(
    server: TlsRedis, address: str, fault: str | None
) -> None:
    services = Services(Settings(redis_url=server.address(address)))
    for part in (redis_part(services), broker(services)):
        assert part.ok == (fault is None)
        assert part.facts.get("fault") == fault
        assert "hush" not in part.summary + part.remedy


TRUSTED = "rediss://:hush@localhost:{port}/0?ssl_ca_certs={folder}/ca.pem"


def run_a_schedule(services: Services) -> None:
    """Start all processes, save a schedule each second, and see a run and a result of it."""
    settings = services.settings
    start_worker(settings)
    Process(*RECORDER, env=env_of(settings), name="recorder")
    start_beat(settings, scheduler="beatdesk", wait=False)
    wait_for(lambda: services.catalogue.get("tests.add"), 60, "a worker has published its jobs")
    spec = a_spec("ticking", "tests.add", args=[1, 2], when=IntervalWhen(every=1.0))
    services.schedules.create(spec, edit=Edit(actor="ada", now=utc_now()))
    succeeded = RunFilter(schedule="ticking", state="succeeded")
    wait_for(lambda: services.history.runs(succeeded).items, 60, "a run is recorded")
    services.celery.loader.import_default_modules()
    assert services.celery.send_task("tests.add", (2, 3)).get(timeout=30) == 5
    assert status(services, utc_now()).ok


@pytest.mark.parametrize("address", [TRUSTED, "unix://:hush@{folder}/r.sock?db=0"])
def test_all_processes_work_over(address: str, server: TlsRedis, settings: Settings) -> None:
    redis_url = server.address(address)
    jobs = ("tests.support.jobs",)
    services = Services(settings.model_copy(update={"redis_url": redis_url, "jobs": jobs}))
    services.redis.flushdb()
    upgrade(services.engine)
    run_a_schedule(services)


def test_all_processes_work_with_a_rabbitmq_that_speaks_tls(
    server: TlsRedis, settings: Settings, tmp_path: Path
) -> None:
    if not installed():
        missing("RabbitMQ is not installed; `make system` installs it on Debian")
    rabbit = RabbitServer(tmp_path / "rabbit", certificates=server.folder)
    broker_url = f"{rabbit.tls_url}?ssl_ca_certs={server.folder}/ca.pem"
    changes = {"redis_url": server.address(TRUSTED), "broker_url": broker_url}
    services = Services(settings.model_copy(update={**changes, "jobs": ("tests.support.jobs",)}))
    services.redis.flushdb()
    upgrade(services.engine)
    try:
        rabbit.start()
        run_a_schedule(services)
    finally:
        rabbit.end()
