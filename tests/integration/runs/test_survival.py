"""What runs survive: the death of their worker, a restart of Redis, a worker that was frozen."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest
from redis import Redis

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.runs.lease_watch import LeaseWatch
from scheduler.runs.leases import LeasedStream, Leases
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from scheduler.worker.execution.own_jobs import TAKEN_AWAY, UNRENEWED
from tests.support.inbox import inbox
from tests.support.processes import start_worker
from tests.support.runs.stream import Stream
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

Send = Callable[..., str]

SHORT = "tests.chaos.worker_app"


@pytest.fixture(autouse=True)
def _short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAOS_SHORT", "1")


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file in which executions can be counted."""
    return tmp_path / "mark"


@pytest.fixture
def watch(valkey: ValkeyServer) -> Iterator[None]:
    """A recorder's watch over leases."""
    stop = Event()

    def look() -> None:
        with valkey.client() as redis:
            lease_watch = LeaseWatch(Leases(redis, LeasedStream(redis)))
            while not stop.wait(0.3):
                lease_watch.look(utc_now())

    thread = Thread(target=look, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()


def lines(mark: Path) -> list[str]:
    """What executions of `tests.wait` have left."""
    return mark.read_text().split() if mark.exists() else []


def has_begun(mark: Path) -> None:
    """Wait for the job's first line."""
    wait_for(lambda: lines(mark), 20, "the job begins")


def has_ended(process: psutil.Process) -> bool:
    """Whether a process runs no more, though its parent may not have collected its result yet."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.usefixtures("watch")
def test_a_run_by_name_whose_worker_is_killed_is_lost_and_run_again_as_another_attempt(
    stream: Stream, send: Send, job_settings: Settings, mark: Path, redis: Redis
) -> None:
    first = start_worker(job_settings, app=SHORT)
    run = send("tests.wait", 4, str(mark))
    has_begun(mark)
    children = psutil.Process(first.pid).children()
    first.kill_alone()
    wait_for(lambda: not any(child.is_running() for child in children), 5, "its jobs end with it")
    start_worker(job_settings, app=SHORT)
    end = stream.end(run, timeout=30)
    told = [(event.kind, event.attempt) for event in stream.of(run)]
    assert told == [
        ("run.received", 1),
        ("run.started", 1),
        ("run.lost", 1),
        ("run.received", 2),
        ("run.started", 2),
        ("run.succeeded", 2),
    ]
    assert stream.one(run, "run.lost").facts.job == "tests.wait"
    assert (end.result, lines(mark)) == ("waited", ["begin", "begin", "end"])
    left = ("unacked", keys.LEASES_ZSET, keys.ENDED_ZSET, keys.DELIVERIES_HASH)
    wait_for(lambda: not redis.exists(*left), 5, "nothing is left")


def test_jobs_go_on_while_redis_restarts_and_their_messages_are_acknowledged(  # noqa: PLR0917 - fixtures
    stream: Stream,
    send: Send,
    job_settings: Settings,
    tmp_path: Path,
    valkey: ValkeyServer,
    redis: Redis,
) -> None:
    worker = start_worker(job_settings, concurrency=2)
    marks = [tmp_path / str(number) for number in range(2)]
    runs = [send("tests.wait", 6, str(mark)) for mark in marks]
    for mark in marks:
        has_begun(mark)
    valkey.stop()
    valkey.start()
    for run, mark in zip(runs, marks, strict=True):
        assert stream.end(run, timeout=30).attempt == 1
        assert lines(mark) == ["begin", "end"]
        assert stream.kinds(run) == ["run.received", "run.started", "run.succeeded"]
    wait_for(lambda: not redis.exists("unacked", "default"), 10, "all is acknowledged")
    assert stream.end(send("tests.add", 1), timeout=20).result == 2
    assert worker.running()


@pytest.mark.usefixtures("watch")
def test_a_worker_that_was_frozen_stops_its_job_once_another_has_the_run(
    stream: Stream, send: Send, job_settings: Settings, mark: Path, redis: Redis
) -> None:
    frozen = start_worker(job_settings, app=SHORT)
    run = send("tests.wait", 40, str(mark))
    has_begun(mark)
    processes = [psutil.Process(frozen.pid), *psutil.Process(frozen.pid).children()]
    for process in processes:
        os.kill(process.pid, signal.SIGSTOP)
    start_worker(job_settings, app=SHORT)
    wait_for(lambda: lines(mark) == ["begin", "begin"], 30, "another worker begins")
    for process in processes:
        os.kill(process.pid, signal.SIGCONT)
    wait_for(lambda: "run.retried" in stream.kinds(run), 20, "the frozen one stops its job")
    stopped = stream.one(run, "run.retried")
    # A woken worker finds its newest renewal too old, or its run another's, whichever it sees first.
    unrenewed = UNRENEWED.format(seconds=3)
    assert stopped.attempt == 1
    assert stopped.error in {TAKEN_AWAY, unrenewed}
    assert (stream.end(run, timeout=60).attempt, lines(mark).count("end")) == (2, 1)
    wait_for(lambda: not redis.exists("unacked", keys.LEASES_ZSET), 5, "nothing is left")


def test_a_worker_that_redis_does_not_answer_stops_its_jobs_before_their_leases_end(
    stream: Stream, send: Send, job_settings: Settings, mark: Path, valkey: ValkeyServer
) -> None:
    worker = start_worker(job_settings, app=SHORT)
    run = send("tests.wait", 60, str(mark))
    has_begun(mark)
    jobs = psutil.Process(worker.pid).children()
    valkey.freeze()
    try:
        worker.wait_for_log("could not renew its leases", 30)
        wait_for(lambda: any(has_ended(job) for job in jobs), 10, "the job is stopped")
        assert "a sign of life failed" not in worker.log, "nobody waited for an answer"
    finally:
        valkey.thaw()
    wait_for(lambda: "run.retried" in stream.kinds(run), 30, "the run is told as stopped")
    assert lines(mark).count("end") == 0


@pytest.mark.usefixtures("watch")
def test_a_worker_whose_pool_cannot_stop_a_job_does_not_say_that_it_stopped_it(
    stream: Stream, send: Send, job_settings: Settings, mark: Path
) -> None:
    frozen = start_worker(job_settings, app=SHORT, options=["-P", "threads"])
    run = send("tests.wait", 12, str(mark))
    has_begun(mark)
    os.kill(frozen.pid, signal.SIGSTOP)
    start_worker(job_settings, app=SHORT)
    wait_for(lambda: lines(mark) == ["begin", "begin"], 30, "another worker begins")
    os.kill(frozen.pid, signal.SIGCONT)
    frozen.wait_for_log(f"cannot stop the job of run {run}, which goes on", 20)
    wait_for(lambda: lines(mark).count("end") == 2, 30, "both jobs come to their end")
    stream.end(run)
    assert "run.retried" not in stream.kinds(run)


def test_a_message_that_has_ended_its_workers_again_and_again_is_given_up(
    stream: Stream, app: BeatdeskApp, send: Send, job_settings: Settings, redis: Redis
) -> None:
    run = send("tests.add", 1)
    redis.hset(keys.DELIVERIES_HASH, run, "4 5")
    start_worker(job_settings, app=SHORT)
    end = stream.end(run)
    assert (end.kind, end.attempt) == ("run.failed", 4)
    assert "5 deliveries of its message ended their worker" in end.error
    assert "run.started" not in stream.kinds(run)
    left = ("unacked", keys.LEASES_ZSET, keys.ENDED_ZSET, keys.DELIVERIES_HASH)
    wait_for(lambda: not redis.exists(*left), 5, "nothing is left")


def test_a_record_that_is_no_lease_hides_no_other(redis: Redis, app: BeatdeskApp) -> None:
    run = str(app.send_task("tests.add", (1,)).id)
    with inbox(app, "one@here") as box:
        box.take()
        redis.zadd(keys.LEASES_ZSET, {"broken": 1, run: 2})
        redis.hset(keys.LEASE_OWNERS_HASH, "broken", "no lease at all")
        watch = LeaseWatch(Leases(redis, LeasedStream(redis)))
        watch.look(utc_now())
        watch.look(utc_now())
        assert redis.hkeys(keys.LEASE_OWNERS_HASH) == [run]
        assert redis.hget(keys.LEASE_OWNERS_HASH, run) == "- 1 - 0 0 tests.add", "it is queued"
        assert redis.hget(keys.DELIVERIES_HASH, run) == "0 1"


def test_a_run_ends_when_its_job_ended_though_redis_answered_later(
    stream: Stream, send: Send, job_settings: Settings, valkey: ValkeyServer
) -> None:
    worker = start_worker(job_settings)
    run = send("demo.long_task", 3)
    wait_for(lambda: "run.progressed" in stream.kinds(run), 20, "the job says how far it is")
    valkey.freeze()
    try:
        worker.wait_for_log("scheduler.jobs.demo: done", 20)
        ended_at = utc_now()
        worker.wait_for_log("the event stream does not answer", 40)
        wait_for(lambda: utc_now() > ended_at + timedelta(seconds=5), 20, "Redis stays away")
    finally:
        valkey.thaw()
    end = stream.end(run, timeout=40)
    assert end.kind == "run.succeeded"
    assert end.at <= ended_at + timedelta(seconds=1)
