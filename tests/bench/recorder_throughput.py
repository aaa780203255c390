"""Events per second folded into SQL by one recorder.

python -m tests.bench.recorder_throughput REDIS_URL DATABASE_URL [RUNS] [BATCH]

Each run is four events (queued, received, started, succeeded), fifty runs are under way at a time.
Both servers must be throw-away ones: the stream has to be empty, and the runs stay in the database.
"""

import sys
from datetime import timedelta
from time import perf_counter
from uuid import uuid4

from redis import Redis

from scheduler.clock import utc_now
from scheduler.events.schema import Event
from scheduler.events.stream import EventStream
from scheduler.history.engine import create_engine
from scheduler.history.recording.recorder import Recorder
from scheduler.history.schema_version import upgrade
from tests.support.builders import a_run_history, a_schedule

AT_ONCE = 50


def some_events(runs: int) -> list[Event]:
    """Return the events of many runs, in the order of fifty concurrent runs."""
    now = utc_now()
    schedules = [
        a_schedule(f"bench-{number}", kwargs={"a": 1, "b": "x" * 50}) for number in range(20)
    ]
    histories = [
        a_run_history(
            str(uuid4()),
            schedule=schedules[number % 20],
            tick=now + timedelta(seconds=number),
            result={"ok": 1},
        )
        for number in range(runs)
    ]
    return [
        history[phase]
        for start in range(0, runs, AT_ONCE)
        for phase in range(4)
        for history in histories[start : start + AT_ONCE]
    ]


def main(redis_url: str, database_url: str, runs: str = "5000", batch: str = "1000") -> None:
    """Fill the stream, empty the stream, print the rate."""
    redis = Redis.from_url(redis_url, decode_responses=True)
    stream, engine = EventStream(redis), create_engine(database_url)
    if stream.length():
        sys.exit("the stream is not empty: give a throw-away server")
    upgrade(engine)
    events = some_events(int(runs))
    for start in range(0, len(events), 500):
        stream.append_many(events[start : start + 500])
    recorder = Recorder(stream, engine, redis, int(batch), "bench")
    began, done = perf_counter(), 0
    while taken := recorder.run_once(utc_now()):
        done += taken
    seconds = perf_counter() - began
    print(  # noqa: T201
        f"{engine.dialect.name}: {done} events in {seconds:.2f} s = {done / seconds:.0f} events/s"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
