"""A server and a worker that the tests of a module share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.runs.approvals import Approvals, Call
from scheduler.runs.own_header import HEADER
from scheduler.settings.schema import Settings
from tests.support.processes import Process, start_worker
from tests.support.runs.stream import Stream
from tests.support.valkey import ValkeyServer


def with_jobs(settings: Settings) -> Settings:
    """The settings with the tests' jobs."""
    return settings.model_copy(update={"jobs": ("tests.support.jobs",)})


def sender(app: BeatdeskApp) -> Callable[..., str]:
    """What sends a job by its name and gives the run's id."""

    def send(name: str, *args: Any, **options: Any) -> str:
        return str(app.send_task(name, args, options.pop("kwargs", None), **options).id)

    return send


def send_approved(app: BeatdeskApp, name: str, kwargs: dict[str, Any]) -> str:
    """Send a call that an administrator has approved; the run's id."""
    approval = Approvals(app.settings.secret_key).approve(Call(name, [], kwargs))
    return sender(app)(name, kwargs=kwargs, headers={HEADER: {"approval": approval}})


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
