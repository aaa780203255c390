"""The longest wait of a write while retention deletes a million runs.

python -m tests.bench.history_retention [RUNS] [POSTGRESQL_URL]

A thread writes 500 runs a second, four events each, in ten batches a second, as a recorder does;
the keeper deletes the old runs beside it, with an export. The aim: no write over 250 ms. In
PostgreSQL where an address is given, which must be that of a throw-away database. `SECONDS` ends
the measurement early.
"""

import os
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from scheduler.events.schema import Event
from scheduler.history.engine import create_engine
from scheduler.history.export import Export
from scheduler.history.keeper import Keeper
from scheduler.history.recording.writer import write_events
from scheduler.history.schema_version import upgrade
from scheduler.settings.keeping import selections
from tests.bench.figures import machine, shown, table
from tests.bench.history_stage import fill
from tests.support.builders import a_run_history, a_schedule

BEGAN = datetime(2026, 6, 1, tzinfo=UTC)
RUNS_A_BATCH, EVERY = 50, 0.1
SCHEDULE = a_schedule("bench", kwargs={"a": 1})


def batch(now: datetime) -> list[Event]:
    """The events of fifty runs."""
    return [
        event
        for _ in range(RUNS_A_BATCH)
        for event in a_run_history(str(uuid4()), schedule=SCHEDULE, tick=now)
    ]


def write(address: str, stop: threading.Event, waits: list[float]) -> None:
    """Write batches at a steady rate until told to stop; a late batch is followed at once."""
    engine = create_engine(address)
    due = perf_counter()
    while not stop.is_set():
        events = batch(BEGAN + timedelta(days=60))
        began = perf_counter()
        write_events(engine, events)
        waits.append(perf_counter() - began)
        due = max(due + EVERY, perf_counter() - 1)
        stop.wait(max(0.0, due - perf_counter()))
    engine.dispose()


def measure(address: str, runs: int, folder: Path, seconds: float) -> list[list[str]]:
    """Return a row for writing alone, and one for writing beside the keeper."""
    engine = create_engine(address)
    upgrade(engine)
    fill(engine, runs, BEGAN, 1.0)
    rows = []
    keeper = Keeper(engine, selections(["all 1d"]), Export(folder / "old"))
    for name, is_deleting in (("writing alone", False), ("beside retention", True)):
        stop, waits = threading.Event(), list[float]()
        writer = threading.Thread(target=write, args=(address, stop, waits))
        writer.start()
        began, deleted = perf_counter(), 0
        if is_deleting:
            enough = threading.Timer(seconds, stop.set)
            enough.start()
            deleted = keeper.run_once(BEGAN + timedelta(days=59), stop)
            enough.cancel()
        else:
            stop.wait(min(20.0, seconds))
        took = perf_counter() - began
        stop.set()
        writer.join()
        waits.sort()
        rows.append(
            [
                name,
                f"{len(waits) * RUNS_A_BATCH / took:.0f}",
                shown(waits[len(waits) // 2]),
                shown(waits[int(len(waits) * 0.99)]),
                shown(waits[-1]),
                f"{deleted} in {took:.0f} s",
            ]
        )
    engine.dispose()
    return rows


def main(runs: str = "1000000", postgres: str = "") -> None:
    """Print both rows."""
    heads = ["", "runs/s", "median write", "99 %", "longest", "deleted"]
    seconds = float(os.environ.get("SECONDS", "3600"))
    with tempfile.TemporaryDirectory() as folder:
        address = postgres or f"sqlite:///{Path(folder) / 'history.sqlite3'}"
        kind = "PostgreSQL" if postgres else "SQLite"
        rows = measure(address, int(runs), Path(folder), seconds)
        table(f"{machine()}; {runs} runs in {kind}", heads, rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
