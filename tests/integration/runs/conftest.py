"""A worker with the tests' jobs, and the events of its runs as they stand in the stream."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from redis import Redis

from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.events.schema import Event, RunEvent, decode
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.processes import Process, start_worker
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

ENDS = {"run.succeeded", "run.failed", "run.expired", "run.skipped", "run.revoked"}


class Stream:
    """What is in the event stream; nothing reads it away in these tests."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    def events(self) -> list[Event]:
        """All events, in the order in which they arrived."""
        entries: Any = self._redis.xrange(keys.EVENTS_STREAM)
        return [decode(fields) for _, fields in entries]

    def of(self, run: str) -> list[Any]:
        """The events of one run."""
        return [
            event for event in self.events() if isinstance(event, RunEvent) and event.run == run
        ]

    def kinds(self, run: str) -> list[str]:
        """Their kinds."""
        return [event.kind for event in self.of(run)]

    def end(self, run: str, timeout: float = 20) -> Any:
        """The event that ends the run, as soon as it is there."""

        def ended() -> list[Any]:
            return [event for event in self.of(run) if event.kind in ENDS]

        return wait_for(ended, timeout, f"run {run} has ended; it has {self.kinds(run)}")[-1]

    def one(self, run: str, kind: str) -> Any:
        """The run's only event of this kind."""
        found = [event for event in self.of(run) if event.kind == kind]
        assert len(found) == 1, self.kinds(run)
        return found[0]


@pytest.fixture
def stream(redis: "Redis") -> Stream:
    """The event stream."""
    return Stream(redis)


@pytest.fixture
def job_settings(settings: Settings) -> Settings:
    """The settings with the tests' jobs."""
    return with_jobs(settings)


@pytest.fixture
def app(job_settings: Settings) -> Iterator[BeatdeskApp]:
    """The app of somebody who sends jobs by their names, as application code would."""
    app = create_app(job_settings)
    yield app
    app.close()


@pytest.fixture
def worker(job_settings: Settings) -> Process:
    """A worker of this test's own that takes the tests' jobs."""
    return start_worker(job_settings)


@pytest.fixture
def send(app: BeatdeskApp) -> Callable[..., str]:
    """Send a job by its name; the run's id."""
    return sender(app)


def with_jobs(settings: Settings) -> Settings:
    """The settings with the tests' jobs."""
    return settings.model_copy(update={"jobs": ("tests.support.jobs",)})


def sender(app: BeatdeskApp) -> Callable[..., str]:
    """What sends a job by its name and gives the run's id."""

    def send(name: str, *args: Any, **options: Any) -> str:
        return str(app.send_task(name, args, options.pop("kwargs", None), **options).id)

    return send


class House(NamedTuple):
    """A server and a worker that several tests share: each looks at the events of its own runs
    only.
    """

    settings: Settings
    stream: Stream
    app: BeatdeskApp
    worker: Process
    send: Callable[..., str]


@pytest.fixture(scope="module")
def house(valkey_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server and a worker with the tests' jobs, for the tests of one module."""
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"), valkey_binary)
    server.start()
    settings = with_jobs(
        Settings(
            data_dir=tmp_path_factory.mktemp("data"), redis_url=server.url, secret_key="s" * 40
        )
    )
    app = create_app(settings)
    worker = start_worker(settings, keep=True)
    with server.client() as redis:
        yield House(settings, Stream(redis), app, worker, sender(app))
    worker.forget()
    app.close()
    server.stop()
