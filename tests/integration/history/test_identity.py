"""The recorder writes into one history, and notices when another one lies in its place."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine, text

from scheduler.errors import Unavailable
from scheduler.events.stream import EventStream
from scheduler.history import identity, schema_version
from scheduler.history.engine import create_engine, writing
from scheduler.history.recording.projector import fold
from scheduler.history.recording.recorder import CHECK_HISTORY_EVERY, Recorder
from scheduler.history.recording.rows import Rows
from tests.support.builders import NOON
from tests.support.history.recording import MakeRecorder, record_all, some_runs
from tests.support.history.stored import rows_in

FILE = "history.sqlite3"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the history of the test."""
    folder = tmp_path / "data"
    folder.mkdir()
    engine = create_engine(f"sqlite:///{folder / FILE}")
    schema_version.upgrade(engine)
    engine.dispose()
    return folder


@pytest.fixture
def recorder(stream: EventStream, redis: Redis, home: Path) -> Recorder:
    """A recorder that has recorded one run."""
    recorder = Recorder(stream, create_engine(f"sqlite:///{home / FILE}"), redis, 100, "r1")
    stream.append_many(some_runs(1))
    record_all(recorder)
    return recorder


def move(folder: Path, target: Path) -> None:
    """Move a history with its side files."""
    target.mkdir()
    for path in folder.glob(FILE + "*"):
        path.rename(target / path.name)


def copy(folder: Path, target: Path) -> None:
    """A copy of a history, made by SQLite."""
    target.mkdir()
    with (
        closing(sqlite3.connect(folder / FILE)) as source,
        closing(sqlite3.connect(target / FILE)) as backup,
    ):
        source.backup(backup)


def stored(path: Path) -> Rows:
    engine = create_engine(f"sqlite:///{path}")
    rows = rows_in(engine)
    engine.dispose()
    return rows


def test_a_file_that_is_moved_away_takes_no_more_events_and_is_not_made_anew(
    recorder: Recorder, stream: EventStream, home: Path, tmp_path: Path
) -> None:
    move(home, tmp_path / "elsewhere")
    stream.append_many(some_runs(3, start=1))
    for _ in range(3):
        with pytest.raises(Unavailable, match="history"):
            recorder.run_once(NOON)
    assert stream.length() == 12
    assert not (home / FILE).exists()
    assert stored(tmp_path / "elsewhere" / FILE) == fold(Rows(), some_runs(1))
    for path in (tmp_path / "elsewhere").iterdir():
        path.rename(home / path.name)
    record_all(recorder)
    assert stored(home / FILE) == fold(Rows(), some_runs(4))
    assert (stream.length(), stream.dead_letter_count()) == (0, 0)


def test_another_history_in_the_place_of_the_file_takes_nothing_until_an_operator_adopts_it(
    recorder: Recorder, stream: EventStream, redis: Redis, home: Path, tmp_path: Path
) -> None:
    address = f"sqlite:///{home / FILE}"
    move(home, tmp_path / "elsewhere")
    other = create_engine(address)
    schema_version.upgrade(other)
    stream.append_many(some_runs(2, start=1))
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"another history.*beatdesk db adopt"):
            recorder.run_once(NOON)
    assert stream.length() == 8
    assert rows_in(other) == Rows()
    identity.adopt(other, redis)
    record_all(recorder)
    assert rows_in(other) == fold(Rows(), some_runs(2, start=1))
    assert stream.length() == 0
    other.dispose()


def test_an_older_copy_in_the_place_of_the_file_takes_nothing(
    recorder: Recorder, stream: EventStream, redis: Redis, home: Path, tmp_path: Path
) -> None:
    copy(home, tmp_path / "backup")
    stream.append_many(some_runs(2, start=1))
    record_all(recorder)
    move(home, tmp_path / "elsewhere")
    shutil.copy(tmp_path / "backup" / FILE, home / FILE)
    stream.append_many(some_runs(2, start=3))
    for _ in range(3):
        with pytest.raises(Unavailable, match="went back in time"):
            recorder.run_once(NOON)
    assert stream.length() == 8
    identity.adopt(create_engine(f"sqlite:///{home / FILE}"), redis)
    record_all(recorder)
    assert stored(home / FILE) == fold(Rows(), [*some_runs(1), *some_runs(2, start=3)])


def test_a_restored_dump_of_the_database_takes_nothing(
    stream: EventStream, redis: Redis, engine: Engine, make_recorder: MakeRecorder
) -> None:
    stream.append_many(some_runs(3))
    record_all(make_recorder(batch=4))
    with writing(engine).begin() as connection:  # what a dump from after the first batch says
        connection.execute(text("UPDATE history_identity SET batches = 1"))
    stream.append_many(some_runs(1, start=3))
    recorder = make_recorder("r2")
    with pytest.raises(Unavailable, match="went back in time: it has 1 batches"):
        recorder.run_once(NOON)
    assert stream.length() == 4
    state = identity.compare(engine, redis)
    assert state is not None
    assert state.verdict == "behind"


def test_a_wrong_history_is_said_before_the_next_event(
    recorder: Recorder, home: Path, tmp_path: Path
) -> None:
    move(home, tmp_path / "elsewhere")
    with pytest.raises(Unavailable, match="history"):
        recorder.run_once(NOON + CHECK_HISTORY_EVERY)


def test_an_emptied_redis_remembers_the_history_anew(
    recorder: Recorder, stream: EventStream, redis: Redis, home: Path
) -> None:
    before = identity.remembered(redis)
    redis.flushall()
    stream.append_many(some_runs(1, start=1))
    record_all(recorder)
    after = identity.remembered(redis)
    assert before is not None
    assert after is not None
    assert (after.id, after.batches) == (before.id, before.batches + 1)
    assert len(stored(home / FILE).runs) == 2


def test_each_batch_counts_once_in_both_places(
    stream: EventStream, redis: Redis, engine: Engine, make_recorder: MakeRecorder
) -> None:
    stream.append_many(some_runs(5))
    record_all(make_recorder(batch=5))
    state = identity.compare(engine, redis)
    assert state is not None
    assert state.verdict == "same"
    assert state.stored is not None
    assert state.remembered is not None
    assert state.stored.batches == state.remembered.batches == 4
