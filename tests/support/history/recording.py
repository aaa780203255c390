"""Recorders, and events that are recorded at once."""

from collections.abc import Callable

from scheduler.clock import utc_now
from scheduler.events.schema import Event
from scheduler.events.stream import EventStream
from scheduler.history.recorder import Recorder
from scheduler.services.services import Services

MakeRecorder = Callable[..., Recorder]


def record(services: Services, *events: Event) -> None:
    """Fold these events into the history."""
    stream = EventStream(services.redis)
    stream.append_many(events)
    recorder = Recorder(stream, services.engine, services.redis, 1000, "test")
    stream.ensure_group()
    while stream.length():
        recorder.run_once(utc_now(), block_ms=100)
