"""A worker that is told to end: what it has not begun goes back at once, and is run by the next
worker as if it had never been away.
"""

import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
from redis import Redis

from scheduler.settings.schema import Settings
from scheduler.storage import keys
from scheduler.worker.execution.own_jobs import WORKER_STOPPED
from tests.support.processes import start_worker
from tests.support.runs.stream import Stream
from tests.support.waiting import wait_for

Send = Callable[..., str]

HURRIED = "tests.support.hurried"


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file in which executions can be counted."""
    return tmp_path / "mark"


def lines(mark: Path) -> list[str]:
    """What executions of `tests.wait` have left."""
    return mark.read_text().split() if mark.exists() else []


def test_a_restart_holds_back_neither_what_waits_for_its_time_nor_what_is_queued(
    stream: Stream, send: Send, job_settings: Settings, mark: Path, redis: Redis
) -> None:
    first = start_worker(job_settings)
    timed = send("tests.add", 1, countdown=10)
    wait_for(lambda: "run.received" in stream.kinds(timed), 20, "the worker has it")
    busy = send("tests.wait", 4, str(mark))
    wait_for(lambda: lines(mark), 20, "the job begins")
    first.terminate()
    wait_for(lambda: redis.llen("default") == 1, 10, "what is not begun goes back at once")
    assert lines(mark) == ["begin"], "while the job goes on"
    assert first.wait() == 0
    assert (stream.end(busy).attempt, redis.exists("unacked")) == (1, 0)
    start_worker(job_settings)
    began = monotonic()
    assert stream.end(timed).attempt == 1
    assert monotonic() - began < 15
    wait_for(lambda: not redis.exists("unacked", keys.LEASES_ZSET), 5, "nothing is left")


@pytest.mark.parametrize(
    "signals", [(signal.SIGTERM, signal.SIGTERM), (signal.SIGQUIT,)], ids=["twice", "quit"]
)
def test_a_second_signal_ends_the_worker_soon_and_its_job_comes_back_as_another_attempt(  # noqa: PLR0917 - fixtures
    signals: tuple[int, ...],
    stream: Stream,
    send: Send,
    job_settings: Settings,
    mark: Path,
    redis: Redis,
) -> None:
    first = start_worker(job_settings, app=HURRIED)
    run = send("tests.wait", 12, str(mark))
    wait_for(lambda: lines(mark), 20, "the job begins")
    for number in signals:
        first.popen.send_signal(number)
        if number == signal.SIGTERM:
            first.wait_for_log("Warm shutdown")
    began = monotonic()
    first.wait(60)
    assert monotonic() - began < 10
    stopped = stream.one(run, "run.retried")
    assert (stopped.error, stopped.redelivered, stopped.attempt) == (WORKER_STOPPED, True, 1)
    assert (redis.llen("default"), redis.exists("unacked")) == (1, 0)
    start_worker(job_settings, app=HURRIED)
    assert stream.end(run, timeout=40).attempt == 2
    assert lines(mark) == ["begin", "begin", "end"]


@pytest.mark.parametrize(
    "options",
    [["--max-tasks-per-child", "1"], ["--autoscale", "4,1"], ["-P", "threads"], ["-P", "solo"]],
    ids=lambda options: options[-2].strip("-") + options[-1].replace(",", "-"),
)
def test_a_worker_of_any_kind_leaves_nothing_behind(
    options: list[str], stream: Stream, send: Send, job_settings: Settings, redis: Redis
) -> None:
    worker = start_worker(job_settings, options=options)
    runs = [send("tests.add", number) for number in range(12)]
    for number, run in enumerate(runs):
        end = stream.end(run)
        assert (end.kind, end.result, end.attempt) == ("run.succeeded", number + 1, 1)
    assert worker.stop(30) == 0
    places = ("default", "unacked", "unacked_index", keys.LEASES_ZSET, keys.LEASE_OWNERS_HASH)
    assert redis.exists(*places, keys.ENDED_ZSET, keys.DELIVERIES_HASH) == 0
