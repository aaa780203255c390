"""A stream and a recorder on real servers."""

import pytest
from redis import Redis
from sqlalchemy import Engine

from scheduler.events.stream import EventStream
from scheduler.history.recording.recorder import Recorder
from tests.support.history.recording import MakeRecorder


@pytest.fixture
def stream(redis: Redis) -> EventStream:
    """The stream of the empty server."""
    return EventStream(redis)


@pytest.fixture
def make_recorder(stream: EventStream, redis: Redis, engine: Engine) -> MakeRecorder:
    """Makes recorders of the test's database, `r1` unless another name is given."""

    def make(name: str = "r1", batch: int = 100, **more: object) -> Recorder:
        return Recorder(stream, engine, redis, batch, name, **more)  # type: ignore[arg-type]

    return make
