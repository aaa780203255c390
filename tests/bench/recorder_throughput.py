"""Events per second folded into SQL by one recorder.

python -m tests.bench.recorder_throughput REDIS_URL DATABASE_URL [RUNS] [BATCH]

Each run is four events (queued, received, started, succeeded), fifty runs are under way at a time.
The bare limit beside it writes folded rows by the driver, with neither stream nor decoding nor fold.
Both servers must be throw-away ones: the stream has to be empty, and the runs stay in the database.
"""

import sys
from dataclasses import fields
from datetime import timedelta
from time import perf_counter, process_time
from typing import cast
from uuid import uuid4

from redis import Redis
from sqlalchemy import Engine, Table

from scheduler.clock import utc_now
from scheduler.events.schema import Event
from scheduler.events.stream import EventStream
from scheduler.history import identity
from scheduler.history.engine import create_engine, writing
from scheduler.history.models import Attempt, Run
from scheduler.history.recording.projector import fold
from scheduler.history.recording.recorder import Recorder
from scheduler.history.recording.rows import AttemptRow, Rows, RunRow
from scheduler.history.recording.table_io import TableIO
from scheduler.history.schema_version import upgrade
from tests.bench.figures import machine, table
from tests.support.builders import a_run_history, a_schedule
from tests.support.history.stored import LARGE

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


def rows_of(events: list[Event]) -> Rows:
    """Return the rows of these events."""
    return fold(Rows(), events)


def bare(engine: Engine, batches: list[Rows]) -> float:
    """Return the seconds for writing folded rows by the driver, one transaction a batch: what no
    recorder can go below.
    """
    names = [field.name for field in fields(RunRow)]
    small = [name for name in names if name not in LARGE]
    io = TableIO(cast("Table", Run.__table__), small, ["id"])
    attempt_io = TableIO(
        cast("Table", Attempt.__table__),
        [field.name for field in fields(AttemptRow)],
        ["run_id", "number"],
    )
    began = perf_counter()
    for rows in batches:
        with writing(engine).begin() as connection:
            io.insert_new(connection, rows.runs.values())
            attempt_io.insert_new(connection, rows.attempts.values())
    return perf_counter() - began


def main(redis_url: str, database_url: str, runs: str = "5000", batch: str = "1000") -> None:
    """Fill the stream, empty the stream, print the rate, and beside it the bare limit."""
    redis = Redis.from_url(redis_url, decode_responses=True)
    stream, engine = EventStream(redis), create_engine(database_url)
    if stream.length():
        sys.exit("the stream is not empty: give a throw-away server")
    upgrade(engine)
    identity.adopt(engine, redis)
    size = int(batch)
    others = some_events(int(runs))
    batches = [rows_of(others[start : start + size]) for start in range(0, len(others), size)]
    limit = len(others) / bare(engine, batches)
    del others, batches
    events = some_events(int(runs))
    for start in range(0, len(events), 500):
        stream.append_many(events[start : start + 500])
    del events
    recorder = Recorder(stream, engine, redis, size, "bench")
    began, began_work, done = perf_counter(), process_time(), 0
    while taken := recorder.run_once(utc_now()):
        done += taken
    seconds, worked = perf_counter() - began, process_time() - began_work
    table(
        f"{machine()}; {done} events in batches of {size}",
        ["database", "events/s", "processor of the recorder", "bare limit"],
        [
            [
                engine.dialect.name,
                f"{done / seconds:.0f}",
                f"{worked / done * 1e6:.0f} µs an event",
                f"{limit:.0f}",
            ]
        ],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
