"""Policies kept by a real worker, on a real server, for jobs whose code knows nothing of them."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redbeat.schedulers import RedBeatScheduler, acquire_distributed_beat_lock
from redis import Redis

from scheduler.beat.stock.entry import install
from scheduler.clock import utc_now
from scheduler.dispatch.message_options import options_for
from scheduler.events.schema import RunQueued, RunStarted
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.runs.lease_watch import LeaseWatch
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.builders import a_schedule, a_spec, every
from tests.support.processes import Process, start_worker
from tests.support.runs.stream import Stream
from tests.support.waiting import stays, wait_for

SECOND = timedelta(seconds=1)


class Sends:
    """Sends ticks as Beat does, without waiting for a tick."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def __call__(self, job: str, *args: Any, tick: datetime | None = None, **policies: Any) -> str:
        """Send a tick of a schedule with these policies; the run's id."""
        schedule = a_schedule("due", job, args=list(args), policies=Policies(**policies))
        options = options_for(schedule, tick or utc_now(), {})
        self._services.celery.send_task(job, list(args), **options)
        return str(options["task_id"])


@pytest.fixture
def sends(services: Services) -> Sends:
    """What sends ticks."""
    return Sends(services)


@pytest.fixture
def beat(services: Services) -> Iterator[RedBeatScheduler]:
    """RedBeat's own scheduler, which leads."""
    scheduler = RedBeatScheduler(services.celery)
    acquire_distributed_beat_lock(sender=SimpleNamespace(scheduler=scheduler))
    install(scheduler)
    yield scheduler
    scheduler.close()


def started(stream: Stream) -> list[str]:
    """The runs that have started; which tick they are for depends on how soon Beat came to look."""
    return [event.run for event in stream.events() if isinstance(event, RunStarted)]


def test_a_job_that_fails_is_tried_again_as_often_as_its_schedule_says(
    stream: Stream, sends: Sends, worker: Process
) -> None:
    run = sends("tests.fail", "no luck", retries=2, retry_backoff=0.2)
    end = stream.end(run)
    assert (end.kind, end.attempt, end.error) == ("run.failed", 3, "ValueError: no luck")
    retried = [event for event in stream.of(run) if event.kind == "run.retried"]
    assert [event.attempt for event in retried] == [1, 2]
    assert all(event.error == "ValueError: no luck" for event in retried)
    waits = [(event.next_at - event.at).total_seconds() for event in retried]
    assert 0.2 <= waits[0] <= 0.26
    assert 0.4 <= waits[1] <= 0.51
    facts = [event.facts for event in stream.of(run) if event.kind == "run.received"]
    assert {(told.schedule, told.trigger, told.tick is None) for told in facts} == {
        ("due", "schedule", False)
    }


def test_attempts_of_the_schedule_come_on_top_of_those_of_the_task(
    stream: Stream, sends: Sends, worker: Process
) -> None:
    run = sends("tests.autoretry", retries=1, retry_backoff=0.1)
    assert stream.end(run).attempt == 3
    assert stream.kinds(run).count("run.retried") == 2


def test_a_job_that_succeeds_in_a_later_attempt_has_succeeded(
    stream: Stream, sends: Sends, worker: Process
) -> None:
    run = sends("tests.flaky", 2, retries=5, retry_backoff=0.1)
    end = stream.end(run)
    assert (end.kind, end.attempt) == ("run.succeeded", 3)


def test_without_a_policy_a_failure_is_final(stream: Stream, sends: Sends, worker: Process) -> None:
    run = sends("tests.fail")
    assert (stream.end(run).kind, stream.kinds(run).count("run.retried")) == ("run.failed", 0)


def test_a_job_that_takes_too_long_is_stopped_and_the_next_attempt_has_the_same_limit(
    stream: Stream, sends: Sends, worker: Process
) -> None:
    run = sends("tests.wait", 60, run_timeout=1, retries=1, retry_backoff=0.1)
    end = stream.end(run)
    assert (end.kind, end.attempt) == ("run.failed", 2)
    assert "SoftTimeLimitExceeded" in end.error
    took = end.at - stream.of(run)[0].at
    assert took < 10 * SECOND


@pytest.mark.parametrize("job", ["tests.die_for_good", "tests.slow_limit"])
def test_a_job_whose_process_is_killed_or_ended_for_its_hard_limit_is_tried_again_as_its_schedule_says_and_no_longer(
    stream: Stream, sends: Sends, worker: Process, redis: Redis, job: str
) -> None:
    run = sends(job, retries=2, retry_backoff=0.1)
    end = stream.end(run, timeout=40)
    assert (end.kind, end.attempt) == ("run.failed", 3)
    lost = "TimeLimitExceeded" if job == "tests.slow_limit" else "WorkerLostError"
    assert lost in end.error
    retried = [event for event in stream.of(run) if event.kind == "run.retried"]
    assert [(event.attempt, lost in event.error) for event in retried] == [(1, True), (2, True)]
    wait_for(lambda: not redis.exists("unacked"), 10, "each message is acknowledged")
    stays(lambda: stream.kinds(run).count("run.started") == 3, 2, "no further attempt begins")


def test_a_run_that_is_cancelled_is_not_tried_again(
    stream: Stream, sends: Sends, worker: Process, services: Services, tmp_path: Path
) -> None:
    run = sends("tests.wait", 60, str(tmp_path / "mark"), retries=3, retry_backoff=0.1)
    wait_for(lambda: "run.started" in stream.kinds(run), 20, "the job begins")
    services.control.cancel(run, "ada@example.org", utc_now())
    assert stream.end(run).kind == "run.revoked"
    assert stream.end(sends("tests.add", 1)).kind == "run.succeeded", "the next one has its turn"
    assert "run.retried" not in stream.kinds(run)
    assert stream.kinds(run).count("run.started") == 1


def test_a_run_that_comes_too_late_to_its_worker_expires(
    stream: Stream, sends: Sends, worker: Process
) -> None:
    run = sends("tests.add", 1, tick=utc_now() - 90 * SECOND, starting_deadline=60)
    assert stream.end(run).kind == "run.expired"
    assert "run.started" not in stream.kinds(run)
    assert stream.end(sends("tests.add", 1, starting_deadline=60)).kind == "run.succeeded"


def test_a_run_that_has_started_in_time_is_tried_again_after_the_deadline_for_its_start(
    stream: Stream, sends: Sends, worker: Process
) -> None:
    run = sends("tests.fail", starting_deadline=3, retries=2, retry_backoff=1.5)
    end = stream.end(run, timeout=30)
    assert (end.kind, end.attempt) == ("run.failed", 3)


def test_nor_does_an_attempt_expire_for_which_the_task_itself_has_asked(
    stream: Stream, sends: Sends, worker: Process
) -> None:
    end = stream.end(sends("tests.retry_later", 5, starting_deadline=4), timeout=30)
    assert (end.kind, end.attempt) == ("run.succeeded", 2)


def test_a_schedule_whose_ticks_fail_pauses_itself_and_says_why(
    services: Services, worker: Process, beat: RedBeatScheduler, stream: Stream
) -> None:
    created = utc_now().replace(microsecond=0) - SECOND
    make(services, "tests.fail", created, pause_after_failures=2)
    paused = fires_until(beat, lambda: services.schedules.get("due").paused)
    assert (paused.reason, paused.by) == ("2 ticks in a row failed", "pause_after_failures")
    assert services.redis.hlen(keys.FAILURES_HASH) == 0
    failed = [event for event in stream.events() if getattr(event, "kind", "") == "run.failed"]
    assert len(failed) == 2


def test_a_run_is_alive_from_beat_to_its_end_and_the_next_tick_is_skipped_meanwhile(
    services: Services, worker: Process, beat: RedBeatScheduler, stream: Stream, tmp_path: Path
) -> None:
    created = utc_now().replace(microsecond=0) - SECOND
    schedule = make(services, "tests.wait", created, args=[8, str(tmp_path / "mark")])
    first = fires_until(beat, lambda: started(stream))[0]
    fires_until(
        beat,
        lambda: [event for event in stream.events() if getattr(event, "reason", "") == "overlap"],
    )
    lease = services.leases.get(first)
    assert lease is not None
    assert lease.worker is not None
    assert services.leases.runs_of(schedule.uid) == [first]
    services.schedules.set_enabled("due", False, edit=Edit(actor="ada", now=utc_now()))
    assert stream.end(first).result == "waited"
    assert services.leases.runs_of(schedule.uid) == []


def test_a_held_tick_starts_when_the_run_before_it_was_asked_to_end(
    services: Services, worker: Process, beat: RedBeatScheduler, stream: Stream, tmp_path: Path
) -> None:
    created = utc_now().replace(microsecond=0) - SECOND
    make(
        services,
        "tests.wait",
        created,
        args=[60, str(tmp_path / "mark")],
        overlap="cancel_previous",
    )
    first = fires_until(beat, lambda: started(stream))[0]
    fires_until(beat, lambda: "run.revoked" in stream.kinds(first))
    fires_until(beat, lambda: len(set(started(stream))) >= 2)


def test_a_long_run_keeps_its_lease_and_that_of_a_killed_worker_is_lost(
    stream: Stream, sends: Sends, worker: Process, services: Services, tmp_path: Path
) -> None:
    redis = services.redis
    run = sends("tests.wait", 120, str(tmp_path / "mark"))
    wait_for(lambda: "run.started" in stream.kinds(run), 20, "the job begins")
    first = redis.zscore(keys.LEASES_ZSET, run)
    wait_for(lambda: redis.zscore(keys.LEASES_ZSET, run) > first, 12, "the lease is renewed")
    worker.kill()
    watch = LeaseWatch(services.leases)
    wait_for(
        lambda: watch.look(utc_now()) or "run.lost" in stream.kinds(run),
        45,
        "the run is lost",
        every=1,
    )
    lost = stream.one(run, "run.lost")
    assert (lost.attempt, lost.worker) == (1, stream.one(run, "run.started").worker)
    assert services.leases.get(run) is None


def test_a_second_message_of_a_run_that_is_alive_starts_nothing(
    stream: Stream, sends: Sends, job_settings: Settings, redis: Redis, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    start_worker(job_settings, concurrency=2)
    run = sends("tests.wait", 8, str(mark))
    wait_for(mark.exists, 20, "the job begins")
    ((_, held),) = redis.hgetall("unacked").items()
    given_out_again(redis, held)
    assert stream.end(run).result == "waited"
    wait_for(lambda: not redis.exists("unacked"), 15, "both messages are acknowledged")
    assert mark.read_text().split() == ["begin", "end"]
    assert stream.kinds(run).count("run.received") == 1


def test_a_second_message_starts_when_nobody_is_heard_of_who_has_the_run(
    stream: Stream, sends: Sends, job_settings: Settings, services: Services, redis: Redis
) -> None:
    run = sends("tests.add", 1)
    (held,) = redis.lrange("default", 0, -1)
    redis.delete("default")
    owner = f"{a_schedule('due').uid} 1 @gone@host 0 0 due"
    start_worker(job_settings)
    redis.hset(keys.LEASE_OWNERS_HASH, run, owner)
    redis.zadd(keys.LEASES_ZSET, {run: utc_now().timestamp() + 6})
    given_out_again(redis, f"[{held}]")
    stays(lambda: "run.started" not in stream.kinds(run), 2, "the message waits")
    assert stream.end(run).result == 2


def test_what_is_started_by_hand_has_the_limits_of_its_schedule_too(
    stream: Stream, services: Services, worker: Process
) -> None:
    schedule = a_schedule("due", "tests.fail", policies=Policies(retries=1, retry_backoff=0.1))
    run = services.control.start(schedule, actor="ada", now=utc_now())
    assert stream.end(run).attempt == 2
    assert [event.run for event in stream.events() if isinstance(event, RunQueued)] == [run]


def make(
    services: Services, job: str, created: datetime, args: list[Any] | None = None, **policies: Any
) -> Schedule:
    """A schedule that is due each second."""
    wait_for(lambda: services.catalogue.get(job), 20, "the worker offers its jobs")
    spec = a_spec(
        "due", job, when=every(1, created), args=args or [], policies=Policies(**policies)
    )
    return services.schedules.create(spec, edit=Edit(actor="ada", now=created))


def fires_until(beat: RedBeatScheduler, fact: Callable[[], Any]) -> Any:
    """Let Beat look until something is so."""

    def looked() -> Any:
        beat.tick()
        return fact()

    return wait_for(looked, 30, "Beat and the worker bring it about", every=0.2)


def given_out_again(redis: Redis, held: str) -> None:
    """What the broker does with a message that was not acknowledged in time."""
    message = json.loads(held)[0]
    message["headers"]["redelivered"] = True
    message["properties"]["delivery_info"]["redelivered"] = True
    message["properties"]["delivery_tag"] = "second-copy"
    redis.lpush("default", json.dumps(message))
