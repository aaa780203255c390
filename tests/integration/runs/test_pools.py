"""Each pool of Celery's: log lines, time limits, cancelling, and jobs that give way to nothing else.

What a pool cannot do it says at its worker's start and in the run.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from scheduler.clock import utc_now
from scheduler.runs.canceller import Cancelled
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from tests.support.processes import Process, start_worker
from tests.support.runs.stream import Stream
from tests.support.waiting import stays, wait_for

Send = Callable[..., str]
POOLS = ("prefork", "threads", "gevent", "eventlet", "solo")


@pytest.fixture
def job_settings(settings: Settings) -> Settings:
    """With the jobs that show what a pool can do."""
    return settings.model_copy(update={"jobs": ("tests.support.pool_jobs",)})


def start(settings: Settings, pool: str, app: str = "scheduler") -> Process:
    """A worker with this pool."""
    pytest.importorskip(pool) if pool in ("gevent", "eventlet") else None
    return start_worker(settings, app=app, options=["-P", pool])


def texts(stream: Stream, run: str) -> list[str]:
    """The lines of a run's log."""
    logged = [event for event in stream.events() if event.kind == "log.written"]  # type: ignore[attr-defined]
    return [line.text for event in logged if event.run == run for line in event.lines]  # type: ignore[attr-defined]


@pytest.mark.parametrize("pool", POOLS)
def test_log_lines_are_recorded_in_each_pool(
    pool: str, job_settings: Settings, send: Send, stream: Stream
) -> None:
    start(job_settings, pool)
    run = send("pool.talks")
    assert stream.end(run).result == "two lines"
    wait_for(lambda: texts(stream, run) == ["begins", "ends"], 5, "its lines are there")


@pytest.mark.parametrize("pool", POOLS)
def test_a_time_limit_is_kept_or_the_worker_and_the_run_say_that_it_is_not(
    pool: str, job_settings: Settings, send: Send, stream: Stream
) -> None:
    worker = start(job_settings, pool)
    run = send("pool.limited")
    end = stream.end(run, timeout=30)
    if pool == "prefork":
        assert "SoftTimeLimitExceeded" in end.error
        assert "cannot" not in worker.log
        return
    broken = ["its soft time limit of 1 s"]
    if pool == "gevent":
        assert "TimeLimitExceeded" in end.error
    else:
        broken.append("its hard time limit of 2 s")
        assert end.result == "waited"
    assert f"the pool {pool} cannot" in worker.log
    assert f"{' and '.join(broken)} is not kept: the pool {pool} of this worker cannot" in texts(
        stream, run
    )


@pytest.mark.parametrize("pool", ["gevent", "eventlet"])
def test_a_job_of_greenlets_that_gives_way_is_cancelled(
    pool: str, job_settings: Settings, send: Send, stream: Stream, services: Services
) -> None:
    start(job_settings, pool)
    run = send("pool.talks", 30)
    wait_for(lambda: "run.started" in stream.kinds(run), 20, "the job begins")
    assert services.control.cancel(run, "ada", utc_now()) is Cancelled.STOPPING
    end = stream.end(run, timeout=10)
    assert (end.kind, end.actor) == ("run.revoked", "ada")
    assert stream.end(send("pool.talks")).result == "two lines"


def test_a_job_in_a_thread_goes_on_when_it_is_cancelled_and_this_is_said(
    job_settings: Settings, send: Send, stream: Stream, services: Services
) -> None:
    worker = start(job_settings, "threads")
    run = send("pool.talks", 4)
    wait_for(lambda: "run.started" in stream.kinds(run), 20, "the job begins")
    assert services.control.cancel(run, "ada", utc_now()) is Cancelled.UNSTOPPABLE
    end = stream.end(run, timeout=20)
    assert (end.kind, end.result) == ("run.succeeded", "two lines")
    goes_on = "cancelled, and goes on to its end: the pool threads cannot stop a running job"
    wait_for(lambda: goes_on in texts(stream, run), 5, "the run says so")
    assert goes_on in worker.log
    assert stream.end(send("pool.talks")).result == "two lines"


@pytest.mark.parametrize("pool", ["gevent", "eventlet", "threads"])
def test_a_job_that_gives_way_to_nothing_else_is_run_once(
    pool: str, job_settings: Settings, send: Send, stream: Stream, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    start(job_settings, pool, app="tests.support.short_times")
    release = tmp_path / "release"
    run = send("pool.blocks", str(mark), str(release))
    wait_for(mark.exists, 20, "the job begins")
    start(job_settings, "prefork", app="tests.support.short_times")
    stays(lambda: mark.read_text().split() == ["begin"], 8, "no other worker begins with it")
    release.touch()
    end = stream.end(run, timeout=40)
    assert (end.result, end.attempt) == ("computed", 1)
    assert mark.read_text().split() == ["begin"]
    assert "run.lost" not in stream.kinds(run)
