"""The recorder's retention: by state and schedule, exported first, without holding up writers."""

import gzip
import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from scheduler.errors import Unavailable
from scheduler.events.schema import LogLine, RunLogged
from scheduler.history.export import Export
from scheduler.history.keeper import Keeper
from scheduler.history.queries.history import History
from scheduler.history.recording.writer import write_events
from scheduler.history.retention import BatchSize
from scheduler.settings.keeping import selections
from tests.support.builders import NOON, a_run_history, a_schedule
from tests.support.history.stored import rows_in, states_in

NIGHTLY, HOURLY = a_schedule("nightly"), a_schedule("hourly")
OLD = NOON - timedelta(days=50)


def fill(engine: Engine) -> None:
    """Old runs of two schedules, one run by name, and a run that has not ended."""
    for schedule in (NIGHTLY, HOURLY):
        for state in ("succeeded", "failed", "started"):
            run = f"{schedule.name}-{state}"
            write_events(engine, a_run_history(run, schedule=schedule, tick=OLD, state=state))
    log = RunLogged(
        run="hourly-succeeded",
        attempt=1,
        at=OLD,
        first=0,
        lines=[LogLine(at=OLD, level="INFO", logger="shop", text="sold 3 ß")],
    )
    write_events(engine, [log])


def test_each_state_and_schedule_has_its_own_age(engine: Engine) -> None:
    fill(engine)
    keeper = Keeper(engine, selections(["succeeded 30d", "failed 90d", "nightly:all 60d"]))
    assert keeper.run_once(NOON) == 1
    assert "hourly-succeeded" not in states_in(engine)
    assert keeper.run_once(NOON + timedelta(days=20)) == 2
    assert keeper.run_once(NOON + timedelta(days=50)) == 1
    assert set(states_in(engine).values()) == {"running"}, "a run that has not ended stays"


def test_runs_are_exported_whole_before_they_are_deleted(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    run = History(engine).run("hourly-succeeded")
    keeper = Keeper(engine, selections(["all 30d"]), Export(tmp_path / "old"))
    assert keeper.run_once(NOON) == 4
    (path,) = (tmp_path / "old").iterdir()
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert {line["id"] for line in lines} == {
        "nightly-succeeded",
        "nightly-failed",
        "hourly-succeeded",
        "hourly-failed",
    }
    (line,) = (line for line in lines if line["id"] == "hourly-succeeded")
    assert run.finished_at is not None
    assert line["finished_at"] == run.finished_at.isoformat()
    assert (line["kwargs"], line["result"], line["schedule"]) == (run.kwargs, run.result, "hourly")
    assert [attempt["state"] for attempt in line["attempts"]] == ["succeeded"]
    assert line["logs"][0]["lines"][0]["text"] == "sold 3 ß"
    assert not [name for name in line if name.endswith("stamp")]


def test_nothing_is_deleted_that_cannot_be_exported(engine: Engine, tmp_path: Path) -> None:
    fill(engine)
    before = rows_in(engine)
    (tmp_path / "old").write_text("a file where the folder should be")
    keeper = Keeper(engine, selections(["all 30d"]), Export(tmp_path / "old"))
    with pytest.raises(Unavailable, match=r"BEATDESK_HISTORY_EXPORT.*no run is deleted"):
        keeper.run_once(NOON)
    assert rows_in(engine) == before


def test_a_keeper_that_is_stopped_ends_after_its_batch(engine: Engine) -> None:
    fill(engine)
    stop = threading.Event()
    stop.set()
    keeper = Keeper(engine, selections(["succeeded 30d", "failed 30d"]))
    assert keeper.run_once(NOON, stop) <= 4
    Keeper(engine, []).run(threading.Event())


def test_batches_shrink_when_they_take_long_and_grow_when_not() -> None:
    size = BatchSize(first=100, seconds=0.04)
    size.adapt(0.08)
    assert size.runs == 50
    size.adapt(4.0)
    assert size.runs == 12
    for _ in range(20):
        size.adapt(0.001)
    assert size.runs == 5000
