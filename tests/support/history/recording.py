"""Recorders, and events that are recorded at once."""

from collections.abc import Callable
from datetime import datetime, timedelta

from scheduler.clock import utc_now
from scheduler.events.schema import Event, RunStarted, run_event
from scheduler.events.stream import EventStream
from scheduler.history.recording.recorder import Recorder
from scheduler.services.services import Services
from tests.support.builders import NOON, a_run_history

MakeRecorder = Callable[..., Recorder]

POISON = run_event(RunStarted, "r" * 200, 1, NOON)
"""Well-formed, and its id fits no row."""

KILLED_BEFORE_ACK = """
import os, signal, sys
from redis import Redis
from scheduler.clock import utc_now
from scheduler.events.stream import EventStream
from scheduler.history.engine import create_engine
from scheduler.history.recording.recorder import Recorder

class Dying(EventStream):
    def ack(self, ids):
        if ids:
            os.kill(os.getpid(), signal.SIGKILL)

redis = Redis.from_url(sys.argv[1], decode_responses=True)
Recorder(Dying(redis), create_engine(sys.argv[2]), redis, 100, sys.argv[3]).run_once(utc_now())
"""


def some_runs(count: int, start: int = 0) -> list[Event]:
    return [
        event
        for number in range(start, start + count)
        for event in a_run_history(f"run-{number}", tick=NOON + timedelta(seconds=number))
    ]


def record_all(recorder: Recorder, now: datetime = NOON) -> None:
    while recorder.run_once(now):
        pass


def record(services: Services, *events: Event) -> None:
    """Fold these events into the history."""
    stream = EventStream(services.redis)
    stream.append_many(events)
    recorder = Recorder(stream, services.engine, services.redis, 1000, "test")
    stream.ensure_group()
    while stream.length():
        recorder.run_once(utc_now(), block_ms=100)
