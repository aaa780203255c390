"""What becomes of runs when workers are cancelled, drained, killed, and when the server goes
away.
"""

import os
import re
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from redis import Redis

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.dispatch.message_options import options_for
from scheduler.rules.model.spec import Policies
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from scheduler.worker.retrying import MOST_LOST
from tests.support.builders import a_schedule
from tests.support.processes import Process, start_worker
from tests.support.runs.stream import Stream
from tests.support.valkey import ValkeyServer
from tests.support.waiting import stays, wait_for

Send = Callable[..., str]

IMPATIENT = "tests.support.impatient"


def now() -> datetime:
    """The real time: these tests are about real processes."""
    return datetime.now(UTC)  # noqa: TID251 - see above


def lines(mark: Path) -> list[str]:
    """What executions of `tests.wait` have left."""
    return mark.read_text().split() if mark.exists() else []


def begun(mark: Path) -> None:
    """Wait until the job has begun."""
    wait_for(lambda: "begin" in lines(mark), 20, "the job begins")


def children(worker: Process) -> list[psutil.Process]:
    """The worker's processes that run jobs."""
    return psutil.Process(worker.pid).children()


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file in which executions can be counted."""
    return tmp_path / "mark"


def test_a_stopped_worker_finishes_its_job_and_tells_the_end(
    stream: Stream, send: Send, worker: Process, mark: Path, redis: "Redis"
) -> None:
    run = send("tests.wait", 6, str(mark))
    waiting = send("tests.add", 1)
    begun(mark)
    assert worker.stop(timeout=30) == 0
    assert lines(mark) == ["begin", "end"]
    assert stream.end(run).result == "waited"
    assert "run.started" not in stream.kinds(waiting)
    assert redis.hgetall("unacked") == {}
    assert redis.llen("default") == 1


def test_a_worker_that_drains_is_still_seen_and_one_that_has_ended_is_not(
    send: Send, worker: Process, mark: Path, services: Services
) -> None:
    wait_for(lambda: services.catalogue.workers(now()), 10, "the worker is seen")
    send("tests.wait", 8, str(mark))
    begun(mark)
    worker.terminate()
    asked = now()
    wait_for(
        lambda: services.catalogue.workers()[0].at > asked,
        7,
        "it says that it lives while it drains",
    )
    assert worker.wait() == 0
    assert services.catalogue.workers() == []


def test_a_run_that_is_cancelled_in_the_queue_never_starts(
    stream: Stream, send: Send, worker: Process, mark: Path, services: Services
) -> None:
    send("tests.wait", 2, str(mark))
    begun(mark)
    run = send("tests.add", 1)
    services.control.cancel(run, "ada@example.org", now())
    end = stream.end(run)
    assert (end.kind, end.actor, end.terminated) == ("run.revoked", "ada@example.org", False)
    assert stream.end(send("tests.add", 1)).result == 2, "the next one has its turn"
    assert "run.started" not in stream.kinds(run)


def test_a_run_that_is_cancelled_while_it_runs_is_ended(
    stream: Stream, send: Send, worker: Process, mark: Path, services: Services
) -> None:
    run = send("tests.wait", 30, str(mark))
    begun(mark)
    services.control.cancel(run, "ada@example.org", now())
    end = stream.end(run, timeout=10)
    assert (end.kind, end.actor, end.terminated) == ("run.revoked", "ada@example.org", True)
    assert stream.end(send("tests.add", 1)).result == 2
    assert lines(mark) == ["begin"]
    assert stream.kinds(run) == ["run.received", "run.started", "run.revoked"]


def test_a_run_that_is_cancelled_while_it_waits_for_its_time_is_revoked_at_once(
    stream: Stream, send: Send, worker: Process, services: Services, redis: "Redis"
) -> None:
    run = send("tests.add", 1, countdown=8)
    wait_for(lambda: "run.received" in stream.kinds(run), 10, "a worker has it")
    services.control.cancel(run, "ada@example.org", now())
    end = stream.end(run, timeout=4)
    assert (end.kind, end.actor, end.terminated) == ("run.revoked", "ada@example.org", False)
    wait_for(lambda: not redis.exists("unacked"), 3, "its message is acknowledged")
    stays(lambda: stream.kinds(run) == ["run.received", "run.revoked"], 8, "it never begins")
    assert stream.end(send("tests.add", 1)).result == 2


def test_a_run_that_is_cancelled_between_two_attempts_is_revoked_at_once(
    stream: Stream, send: Send, worker: Process, services: Services
) -> None:
    run = send("tests.retry_later", 60)
    wait_for(lambda: stream.kinds(run).count("run.received") == 2, 10, "a worker has it again")
    services.control.cancel(run, "ada@example.org", now())
    end = stream.end(run, timeout=4)
    assert (end.kind, end.attempt) == ("run.revoked", 2)


def test_a_run_that_is_cancelled_while_no_worker_runs_never_starts(
    stream: Stream, send: Send, job_settings: Settings, services: Services
) -> None:
    run = send("tests.add", 1)
    services.control.cancel(run, "ada@example.org", now())
    start_worker(job_settings)
    end = stream.end(run)
    assert (end.kind, end.actor) == ("run.revoked", "ada@example.org")
    assert stream.end(send("tests.add", 1)).result == 2, "the next one has its turn"
    assert "run.started" not in stream.kinds(run)


def test_a_job_whose_process_dies_is_told_and_tried_again_later(
    stream: Stream, send: Send, worker: Process, mark: Path
) -> None:
    run = send("tests.die", str(mark))
    wait_for(lambda: "run.retried" in stream.kinds(run), 20, "the loss is told")
    lost = stream.one(run, "run.retried")
    assert "WorkerLostError" in lost.error
    assert lost.next_at > lost.at
    assert lines(mark) == ["begin"]
    assert stream.end(send("tests.add", 1)).result == 2


def test_the_job_of_a_killed_worker_is_run_by_another(
    stream: Stream, send: Send, job_settings: Settings, mark: Path
) -> None:
    first = start_worker(job_settings, app=IMPATIENT)
    run = send("tests.wait", 3, str(mark))
    begun(mark)
    first.kill()
    start_worker(job_settings, app=IMPATIENT)
    assert stream.end(run).result == "waited"
    assert lines(mark) == ["begin", "begin", "end"]
    assert stream.kinds(run).count("run.started") == 2


def test_the_job_of_a_killed_worker_that_must_not_run_twice_has_failed(
    stream: Stream, app: BeatdeskApp, job_settings: Settings, mark: Path
) -> None:
    first = start_worker(job_settings, app=IMPATIENT)
    schedule = a_schedule(
        "due", "tests.wait", args=[30, str(mark)], policies=Policies(on_lost="fail")
    )
    options = options_for(schedule, now(), {})
    run = app.send_task("tests.wait", [30, str(mark)], **options).id
    begun(mark)
    first.kill()
    start_worker(job_settings, app=IMPATIENT)
    end = stream.end(run, timeout=40)
    assert (end.kind, end.attempt) == ("run.failed", 1)
    assert "its worker was lost while it ran, and it is not run again (on_lost: fail)" in end.error
    assert lines(mark) == ["begin"]


def test_a_job_that_takes_longer_than_the_claim_on_its_message_is_run_once(
    stream: Stream, send: Send, job_settings: Settings, mark: Path, redis: "Redis"
) -> None:
    start_worker(job_settings, app=IMPATIENT)
    start_worker(job_settings, app=IMPATIENT)
    run = send("tests.wait", 12, str(mark))
    assert stream.end(run).result == "waited"
    wait_for(lambda: not redis.exists("unacked"), 5, "the message is acknowledged")
    assert lines(mark) == ["begin", "end"]


def test_nothing_is_lost_when_the_server_is_away_while_a_job_runs(
    stream: Stream, send: Send, job_settings: Settings, mark: Path, valkey: ValkeyServer
) -> None:
    worker = start_worker(job_settings, app=IMPATIENT)
    run = send("tests.wait", 3, str(mark))
    begun(mark)
    valkey.stop()
    stays(worker.running, 5, "the worker waits for its server")
    valkey.start()
    end = stream.end(run, timeout=40)
    assert (end.kind, end.result, end.attempt) == ("run.succeeded", "waited", 1)
    assert lines(mark) == ["begin", "end"]
    assert stream.end(send("tests.add", 1)).result == 2
    assert worker.running()


def test_an_end_that_comes_while_the_server_is_away_is_told_when_it_is_back(
    stream: Stream, send: Send, job_settings: Settings, mark: Path, valkey: ValkeyServer
) -> None:
    worker = start_worker(job_settings, app=IMPATIENT, options=["-P", "threads"])
    run = send("tests.wait", 2, str(mark))
    begun(mark)
    valkey.stop()
    wait_for(lambda: "end" in lines(mark), 10, "the job ends without its server")
    valkey.start()
    assert stream.end(run, timeout=40).result == "waited"
    assert worker.running()


def test_the_end_of_a_run_is_in_the_stream_before_its_message_is_acknowledged(
    stream: Stream, send: Send, worker: Process, valkey: ValkeyServer, redis: "Redis"
) -> None:
    """The server itself says in which order the commands came."""
    with valkey.client() as watcher, watcher.monitor() as monitor:
        runs = {
            kind: send(f"tests.{kind}")
            for kind in ("odd", "fail", "ignore", "nobody_has_this", "autoretry")
        }
        for run in runs.values():
            stream.end(run)
        wait_for(lambda: not redis.exists("unacked"), 5, "all are acknowledged")
        redis.set("over", "1")
        seen: list[str] = []
        for command in monitor.listen():
            seen.append(command["command"])
            if command["command"].startswith("SET over"):
                break
    tags = _tags(seen)
    for kind, run in runs.items():
        for number, tag in enumerate(tags[run]):
            acknowledged = next(at for at, said in enumerate(seen) if said == f"HDEL unacked {tag}")
            ends = [at for at, said in enumerate(seen) if _is_end(said, run)]
            assert ends[number] < acknowledged, (kind, number)


def _tags(seen: list[str]) -> dict[str, list[str]]:
    """The delivery tags of each run's messages, in order."""
    tags: dict[str, list[str]] = {}
    for said in seen:
        if said.startswith("HSET unacked "):
            tag = said.split(" ")[2]
            run = re.search(r'\\?"id\\?": \\?"([0-9a-f-]{36})', said)
            assert run is not None, said
            tags.setdefault(run[1], []).append(tag)
    return tags


def _is_end(said: str, run: str) -> bool:
    """Does this command append the end of an attempt of the run?"""
    appends = said.startswith(f"XADD {keys.EVENTS_STREAM}") and run in said
    return appends and any(f"run.{kind}" in said for kind in ("succeeded", "failed", "retried"))


def test_a_killed_child_does_not_take_the_worker_with_it(
    stream: Stream, send: Send, worker: Process, mark: Path, app: BeatdeskApp
) -> None:
    run = send("tests.wait", 30, str(mark))
    begun(mark)
    for child in children(worker):
        os.kill(child.pid, signal.SIGKILL)
    wait_for(lambda: "run.retried" in stream.kinds(run), 20, "the loss is told")
    assert stream.end(send("tests.add", 1)).result == 2


def test_a_job_without_an_end_of_attempts_whose_process_dies_each_time_has_failed_after_a_few(
    worker: Process, send: Callable[..., str], stream: Stream, redis: Redis
) -> None:
    run = send("tests.die_without_end")
    end = stream.end(run, timeout=60)
    assert (end.kind, end.attempt) == ("run.failed", 1 + MOST_LOST)
    assert "WorkerLostError" in end.error
    wait_for(lambda: not redis.exists("unacked"), 10, "each message is acknowledged")
    assert redis.llen("default") == 0
