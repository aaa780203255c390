"""The command line of these tests, on the servers of the test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from tests.support.commands import Commands
from tests.support.sets.operators import NIGHTLY


@pytest.fixture
def beatdesk(services: Services) -> Commands:
    """`beatdesk("schedules", "list")`, where a worker offers the jobs `demo.echo`, `demo.greet` and
    `demo.plain`.
    """
    whom = Parameter(name="whom", annotation="str", doc="Who it is for.")
    times = Parameter(name="times", required=False, default=1, annotation="int")
    greet = Job(
        name="demo.greet", title="Greet", doc="Say hello.", parameters=[whom, times], module="demo"
    )
    plain = Job(name="demo.plain", title="Plain", module="demo")
    echo = Job(name="demo.echo", title="Echo", parameters=[Parameter(name="value")], module="demo")
    now = utc_now()
    worker = Worker(
        name="w1@host", pid=1, host="host", at=now, jobs=["demo.echo", "demo.greet", "demo.plain"]
    )
    services.catalogue.publish([echo, greet, plain], worker, now)
    return Commands(services)


@pytest.fixture
def record(services: Services) -> Callable[[], None]:
    """Fold all that is in the stream into the history."""
    recorder = Recorder(services.events, services.engine, services.redis, 1000, "test-recorder")

    def fold() -> None:
        while recorder.run_once(utc_now(), 10):
            pass

    return fold


@pytest.fixture
def stored(beatdesk: Commands) -> Commands:
    """Two schedules, one of them tagged."""
    beatdesk.done(*NIGHTLY, "--tag", "reports", "--notes", "call Grace\nthen Ada")
    beatdesk.done("schedules", "add", "often", "demo.plain", "--every", "300")
    return beatdesk


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a set is written to."""
    return tmp_path / "set.yaml"
