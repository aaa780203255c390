"""A stream and a recorder on real servers."""

import pytest
from redis import Redis
from sqlalchemy import Engine

from scheduler.events.schema import Event
from scheduler.events.stream import EventStream
from scheduler.history.queries.history import History
from scheduler.history.recording.recorder import Recorder
from scheduler.history.recording.writer import write_events
from tests.support.history.mixed import a_mixed_history
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


@pytest.fixture
def history(engine: Engine) -> History:
    return History(engine)


@pytest.fixture
def mixed(engine: Engine) -> list[Event]:
    events = a_mixed_history()
    write_events(engine, events)
    return events
