"""An accepted event is never lost: the tables are the fold of the stream, whatever was killed or
away.
"""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine

from scheduler.errors import Unavailable
from scheduler.events.schema import encode
from scheduler.events.stream import EventStream
from scheduler.history import schema_version
from scheduler.history.engine import create_engine
from scheduler.history.queries.history import History
from scheduler.history.recording.projector import fold
from scheduler.history.recording.recorder import REPLAY_NEWER_EVERY, TRIES, Recorder
from scheduler.history.recording.rows import Rows
from scheduler.storage import keys
from tests.support.builders import NOON, a_saved_event
from tests.support.history.recording import (
    KILLED_BEFORE_ACK,
    POISON,
    MakeRecorder,
    record_all,
    some_runs,
)
from tests.support.history.stored import rows_in, states_in
from tests.support.postgres import PostgresServer
from tests.support.processes import ROOT
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for


@contextmanager
def running(recorder: Recorder) -> Iterator[None]:
    """The recorder's loop in a thread, stopped in order."""
    stop = threading.Event()
    thread = threading.Thread(target=recorder.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def said(redis: Redis, name: str = "r1") -> dict[str, object]:
    found: str | None = redis.hget(keys.RECORDERS_HASH, name)
    return json.loads(found) if found else {}


def test_events_become_rows_and_leave_the_stream(
    stream: EventStream, engine: Engine, make_recorder: MakeRecorder
) -> None:
    events = [*some_runs(5), a_saved_event()]
    stream.append_many(events)
    recorder = make_recorder(batch=7)
    assert recorder.run_once(NOON) == 7
    assert stream.length() == len(events) - 7
    record_all(recorder)
    assert rows_in(engine) == fold(Rows(), events)
    assert stream.length() == 0


def test_events_that_are_told_again_change_nothing(
    stream: EventStream, engine: Engine, make_recorder: MakeRecorder
) -> None:
    events = some_runs(3)
    stream.append_many(events)
    record_all(make_recorder())
    before = rows_in(engine)
    stream.append_many([*reversed(events), *events])
    record_all(make_recorder())
    assert rows_in(engine) == before


@pytest.mark.parametrize("successor", ["r1", "r2"])
def test_a_recorder_killed_between_commit_and_acknowledgement_loses_and_doubles_nothing(
    stream: EventStream,
    valkey: ValkeyServer,
    engine: Engine,
    make_recorder: MakeRecorder,
    successor: str,
) -> None:
    events = some_runs(5)
    stream.append_many(events)
    database = engine.url.render_as_string(hide_password=False)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_ACK, valkey.url, database, "r1"], cwd=ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert stream.length() == len(events), "the kill came before the acknowledgement"
    committed = rows_in(engine)
    assert committed == fold(Rows(), events), "and after the commit"
    record_all(make_recorder(successor, dead_after=timedelta(0)))
    assert rows_in(engine) == committed
    assert stream.length() == 0


def test_a_living_peer_is_not_robbed(stream: EventStream, make_recorder: MakeRecorder) -> None:
    stream.append_many(some_runs(1))
    stream.read("peer", 10)
    record_all(make_recorder())
    assert len(stream.pending("peer", 10)) == 4


def test_a_dead_peers_events_are_looked_for_again_and_again(
    stream: EventStream, engine: Engine, make_recorder: MakeRecorder
) -> None:
    recorder = make_recorder(dead_after=timedelta(0))
    record_all(recorder, NOON)
    stream.append_many(some_runs(1))
    stream.read("peer", 10)
    assert recorder.run_once(NOON + timedelta(seconds=1)) == 0
    assert recorder.run_once(NOON + timedelta(minutes=1)) == 4
    assert states_in(engine) == {"run-0": "succeeded"}


def test_an_entry_that_is_no_event_is_set_aside_at_once_and_the_others_are_recorded(
    stream: EventStream, redis: Redis, engine: Engine, make_recorder: MakeRecorder
) -> None:
    redis.xadd(keys.EVENTS_STREAM, {"event": "nonsense"})
    stream.append_many(some_runs(2))
    redis.xadd(keys.EVENTS_STREAM, {"event": b"\xff\xfe"})
    redis.xadd(keys.EVENTS_STREAM, {"colour": "blue"})
    make_recorder().run_once(NOON)
    assert states_in(engine) == {"run-0": "succeeded", "run-1": "succeeded"}
    letters = stream.dead_letters(10)
    assert {letter.fields.get("event") for letter in letters} == {"nonsense", "\ufffd\ufffd", None}
    assert all(letter.error.startswith("UndecodableEvent: ") for letter in letters)
    assert stream.length() == 0


def test_an_event_of_a_newer_version_waits_aside_and_is_recorded_after_the_upgrade(
    stream: EventStream, redis: Redis, engine: Engine, make_recorder: MakeRecorder
) -> None:
    queued, started = some_runs(1)[0], some_runs(1)[2]
    newer = {"event": encode(started)["event"].replace("run.started", "run.begun_quietly")}
    redis.xadd(keys.EVENTS_STREAM, newer)
    stream.append(queued)
    old = make_recorder()
    record_all(old)
    assert (stream.length(), stream.newer_count(), stream.dead_letter_count()) == (0, 1, 0)
    assert states_in(engine) == {"run-0": "queued"}
    assert old.run_once(NOON + REPLAY_NEWER_EVERY) == 0, "it is not sent back in vain"
    record_all(old, NOON + REPLAY_NEWER_EVERY)
    assert stream.newer_count() == 1, "this version still does not know the kind"
    letter = redis.xrange(keys.NEWER_EVENTS_STREAM)[0]
    redis.xdel(keys.NEWER_EVENTS_STREAM, letter[0])
    # An upgrade: the kind is one that the new recorder knows.
    redis.xadd(keys.NEWER_EVENTS_STREAM, {**letter[1], "field:event": encode(started)["event"]})
    record_all(make_recorder("r2"))
    assert (stream.length(), stream.newer_count(), stream.dead_letter_count()) == (0, 0, 0)
    assert states_in(engine) == {"run-0": "running"}
    (change,) = History(engine).changes(of="dead_letter").items
    assert (change.actor, len(change.letters)) == ("beatdesk", 1)


def test_an_event_that_cannot_be_folded_is_tried_three_times_and_never_stops_the_others(
    stream: EventStream, engine: Engine, make_recorder: MakeRecorder
) -> None:
    stream.append_many([*some_runs(2), POISON, *some_runs(2, start=2)])
    recorder = make_recorder()
    recorder.run_once(NOON)
    assert set(states_in(engine)) == {"run-0", "run-1", "run-2", "run-3"}
    for attempt in range(2, TRIES + 1):
        assert (stream.length(), stream.dead_letter_count()) == (1, 0)
        stream.append_many(some_runs(1, start=10 + attempt))
        recorder.run_once(NOON)
    (letter,) = stream.dead_letters(10)
    assert letter.error.startswith("UnfoldableEvent: the id of a run has 1 to 128 characters")
    assert '"run.started"' in letter.fields["event"]
    record_all(recorder)
    assert {"run-12", "run-13"} <= set(states_in(engine))
    assert stream.length() == 0


def test_a_recorder_that_starts_anew_does_not_choke_on_its_predecessors_poison(
    stream: EventStream, engine: Engine, make_recorder: MakeRecorder
) -> None:
    stream.append_many([POISON, *some_runs(1)])
    make_recorder().run_once(NOON)
    record_all(make_recorder())
    assert (stream.length(), stream.dead_letter_count()) == (0, 1)
    assert set(states_in(engine)) == {"run-0"}


def test_missing_tables_are_an_outage_and_not_the_events_fault(
    stream: EventStream, engine: Engine, make_recorder: MakeRecorder
) -> None:
    schema_version.downgrade(engine, "base")
    events = some_runs(2)
    stream.append_many(events)
    recorder = make_recorder()
    for _ in range(TRIES + 1):
        with pytest.raises(Unavailable, match="beatdesk db upgrade"):
            recorder.run_once(NOON)
    assert (stream.length(), stream.dead_letter_count()) == (len(events), 0)
    schema_version.upgrade(engine)
    record_all(recorder)
    assert rows_in(engine) == fold(Rows(), events)


def test_while_postgresql_is_away_events_wait_and_nothing_is_lost(
    stream: EventStream, redis: Redis, postgres: PostgresServer, postgres_url: str
) -> None:
    engine = create_engine(postgres_url)
    schema_version.upgrade(engine)
    recorder = Recorder(stream, engine, redis, 100, "r1")
    stream.append_many(some_runs(1, start=90))
    record_all(recorder)
    with running(recorder):
        postgres.stop()
        try:
            stream.append_many(some_runs(3))
            wait_for(
                lambda: "SQL cannot take events" in str(said(redis).get("problem")),
                30,
                "the recorder says so",
            )
            assert stream.length() == 12
        finally:
            postgres.start()
        wait_for(lambda: stream.length() == 0, 30, "the recorder catches up")
        wait_for(lambda: said(redis)["problem"] is None, 30, "and says that all is well")
    assert rows_in(engine) == fold(Rows(), [*some_runs(3), *some_runs(1, start=90)])
    assert stream.dead_letter_count() == 0
    engine.dispose()


def test_while_the_sqlite_file_cannot_be_opened_events_wait_and_nothing_is_lost(
    stream: EventStream, redis: Redis, tmp_path: Path
) -> None:
    home, elsewhere = tmp_path / "data", tmp_path / "unmounted"
    engine = create_engine(f"sqlite:///{home / 'history.sqlite3'}")
    schema_version.upgrade(engine)
    engine.dispose()
    home.rename(elsewhere)
    recorder = Recorder(stream, engine, redis, 100, "r1")
    with running(recorder):
        stream.append_many(some_runs(3))
        wait_for(
            lambda: "unable to open" in str(said(redis).get("problem")), 30, "the recorder says so"
        )
        assert stream.length() == 12
        elsewhere.rename(home)
        wait_for(lambda: stream.length() == 0, 30, "the recorder catches up")
        wait_for(lambda: said(redis)["problem"] is None, 30, "and says that all is well")
    assert rows_in(engine) == fold(Rows(), some_runs(3))
    assert stream.dead_letter_count() == 0
    engine.dispose()


def test_the_recorder_outlives_redis_killed_and_back_with_its_data(
    stream: EventStream, valkey: ValkeyServer, engine: Engine, make_recorder: MakeRecorder
) -> None:
    stream.append_many(some_runs(2))
    recorder = make_recorder()
    with running(recorder):
        wait_for(lambda: stream.length() == 0, what="the first events are recorded")
        valkey.stop()
        wait_for(
            lambda: "Redis does not answer" in str(recorder.heartbeat.problem),
            30,
            "the recorder notices",
        )
        valkey.start()
        stream.append_many(some_runs(2, start=2))
        wait_for(lambda: len(states_in(engine)) == 4, 30, "the recorder is back")
    assert rows_in(engine) == fold(Rows(), some_runs(4))


def test_the_recorder_outlives_a_redis_that_comes_back_empty(
    stream: EventStream, redis: Redis, engine: Engine, make_recorder: MakeRecorder
) -> None:
    with running(make_recorder()):
        stream.append_many(some_runs(1))
        wait_for(lambda: len(states_in(engine)) == 1, what="the first run is recorded")
        redis.flushall()
        stream.append_many(some_runs(1, start=1))
        wait_for(lambda: len(states_in(engine)) == 2, 30, "the second run is recorded")


def test_two_recorders_share_the_work_and_lose_nothing(
    stream: EventStream, valkey: ValkeyServer, database_url: str, engine: Engine
) -> None:
    events = some_runs(150)
    recorders = []
    for name in ("r1", "r2"):
        client = valkey.client()
        recorders.append(
            Recorder(EventStream(client), create_engine(database_url), client, 10, name)
        )
    with running(recorders[0]), running(recorders[1]):
        for start in range(0, len(events), 30):
            stream.append_many(events[start : start + 30])
        wait_for(lambda: stream.length() == 0, 60, "all is recorded")
    assert rows_in(engine) == fold(Rows(), events)
    assert [recorder.heartbeat.folded > 0 for recorder in recorders] == [True, True]
    assert sum(recorder.heartbeat.folded for recorder in recorders) == len(events)


def test_a_recorder_that_is_stopped_records_what_is_there_first(
    stream: EventStream, engine: Engine, make_recorder: MakeRecorder
) -> None:
    stream.append_many(some_runs(30))
    stop = threading.Event()
    stop.set()
    make_recorder(batch=10).run(stop)
    assert stream.length() == 0
    assert len(states_in(engine)) == 30


def test_a_recorder_gives_signs_of_life_and_signs_off(
    stream: EventStream, redis: Redis, make_recorder: MakeRecorder
) -> None:
    with running(make_recorder()):
        stream.append_many(some_runs(1))
        facts = wait_for(
            lambda: said(redis) if said(redis).get("folded") == 4 else None,
            20,
            "it says what it did",
        )
        assert {"at", "pid", "host", "folded", "lag", "problem"} == set(facts)
        assert facts["lag"] == {"events": 0, "seconds": 0.0}
        assert facts["problem"] is None
        assert datetime.fromisoformat(str(facts["at"])).tzinfo is not None
    assert said(redis) == {}


def test_entries_that_were_deleted_by_hand_do_not_stay_pending(
    stream: EventStream, redis: Redis, engine: Engine, make_recorder: MakeRecorder
) -> None:
    ids = stream.append_many(some_runs(1))
    stream.read("r1", 10)
    redis.xdel(keys.EVENTS_STREAM, ids[0])
    record_all(make_recorder())
    assert stream.pending("r1", 10) == []
    assert states_in(engine) == {"run-0": "succeeded"}
