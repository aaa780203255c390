"""A worker with the tests' jobs, and the events of its runs as they stand in the stream."""

from collections.abc import Callable, Iterator

import pytest

from scheduler.celery_app.app import create_app
from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.settings.schema import Settings
from tests.support.processes import Process, start_worker
from tests.support.runs.house import house, sender, with_jobs
from tests.support.runs.stream import stream

__all__ = ["app", "house", "job_settings", "send", "stream", "worker"]


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
