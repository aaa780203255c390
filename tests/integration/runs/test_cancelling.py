"""A cancellation ends a queued run at once, and costs the same after a hundred thousand others."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from scheduler.celery_app.app_class import BeatdeskApp
from scheduler.clock import utc_now
from scheduler.events.schema import RunReceived, run_event
from scheduler.runs.cancellations import STEP, Cancellations
from scheduler.runs.canceller import Cancelled
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import a_schedule, facts_of
from tests.support.processes import Process
from tests.support.runs.stream import Stream
from tests.support.waiting import wait_for

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_queued_run_of_a_schedule_is_revoked_at_once_and_its_schedule_goes_on(
    services: Services, redis: Redis, stream: Stream
) -> None:
    schedule = a_schedule(queue="later")
    run = services.control.start(schedule, actor="ada", now=NOON)
    other = services.control.start(schedule, actor="ada", now=NOON)
    assert services.control.cancel(run, "bob", NOON) is Cancelled.ENDED
    assert (stream.end(run).kind, stream.end(run).actor) == ("run.revoked", "bob")
    assert redis.hkeys(keys.LEASE_OWNERS_HASH) == [other]
    assert redis.zrange(keys.ALIVE_PREFIX + schedule.uid, 0, -1) == [other]
    assert redis.llen("later") == 2, "the queue is not one of the app's, and was not named"
    assert services.control.cancel(other, "bob", NOON, queue="later") is Cancelled.ENDED
    assert redis.llen("later") == 1


def test_a_queued_run_by_name_is_taken_out_of_its_queue_whatever_its_priority(
    services: Services, app: BeatdeskApp, redis: Redis, stream: Stream
) -> None:
    runs = [app.send_task("tests.add", (1, 2), priority=number).id for number in range(0, 10, 3)]
    run = runs[2]
    assert services.control.cancel(run, "bob", NOON) is Cancelled.ENDED
    assert stream.end(run).attempt == 1
    assert services.control.cancel(run, "bob", NOON) is Cancelled.SEARCHED
    left = [redis.llen("default")]
    left += [redis.llen(f"default\x06\x16{step}") for step in (3, 6, 9)]
    assert left == [1, 1, 0, 1]


def test_a_run_in_the_middle_of_many_is_taken_out_and_no_other(
    services: Services, app: BeatdeskApp, redis: Redis
) -> None:
    runs = [app.send_task("tests.add", (number, 2)).id for number in range(1200)]
    chosen = {runs[3], runs[700], runs[1199]}
    services.canceller.cancel(sorted(chosen), "bob", NOON)
    left = {json.loads(text)["headers"]["id"] for text in redis.lrange("default", 0, -1)}
    assert left == set(runs) - chosen


def test_a_run_that_a_worker_has_is_ended_by_the_worker(
    services: Services, stream: Stream, redis: Redis
) -> None:
    schedule = a_schedule()
    run = services.control.start(schedule, actor="ada", now=NOON)
    redis.delete("default")
    facts = facts_of(schedule)
    services.events.append(run_event(RunReceived, run, 1, NOON, worker="w@h", facts=facts))
    assert services.control.cancel(run, "bob", NOON) is Cancelled.STOPPING
    assert "run.revoked" not in stream.kinds(run)


def test_a_message_that_came_back_is_removed_though_its_dead_worker_still_counts_as_alive(
    services: Services, stream: Stream, redis: Redis
) -> None:
    schedule = a_schedule()
    run = services.control.start(schedule, actor="ada", now=NOON)
    facts = facts_of(schedule)
    services.events.append(run_event(RunReceived, run, 1, NOON, worker="w@h", facts=facts))
    assert services.control.cancel(run, "bob", NOON) is Cancelled.ENDED
    assert stream.end(run).kind == "run.revoked"
    assert redis.exists(keys.LEASE_OWNERS_HASH, "default") == 0


def test_a_worker_that_missed_the_broadcast_drops_a_cancelled_run_all_the_same(
    services: Services, app: BeatdeskApp, stream: Stream, worker: Process
) -> None:
    wait_for(lambda: services.catalogue.get("tests.add"), 20, "the worker is there")
    run = "8f0f8f3e-0f3b-4a38-a1f4-5d1a54a3c001"
    services.cancellations.record(run, "bob", utc_now())
    wait_for(lambda: run in str(app.control.inspect().revoked()), 20, "the worker has read it")
    app.send_task("tests.add", (1,), task_id=run)
    assert (stream.end(run).kind, stream.end(run).actor) == ("run.revoked", "bob")


def test_a_running_job_is_ended_by_a_cancellation(
    services: Services, app: BeatdeskApp, stream: Stream, worker: Process
) -> None:
    run = app.send_task("tests.wait", (60,)).id
    wait_for(lambda: "run.started" in stream.kinds(run), 20, "the job runs")
    services.control.cancel(run, "bob", NOON)
    assert (stream.end(run).kind, stream.end(run).actor) == ("run.revoked", "bob")


def test_the_list_of_cancelled_runs_forgets_in_steps_and_takes_over_an_older_format(
    redis: Redis,
) -> None:
    cancelled = Cancellations(redis)
    note = json.dumps({"actor": "ada", "at": NOON.isoformat()})
    redis.hset(keys.CANCELLED_HASH, mapping={f"old-{number}": note for number in range(120)})
    assert cancelled.actor("old-7") == "ada"
    for number in range(60):
        cancelled.record(f"new-{number}", "bob", NOON + timedelta(seconds=number))
    assert redis.zcard(keys.CANCELLED_ZSET) == redis.hlen(keys.CANCELLED_HASH) == 180
    later = NOON + timedelta(days=8)
    cancelled.record("late", "bob", later)
    assert redis.hlen(keys.CANCELLED_HASH) == 181 - STEP
    for _ in range(3):
        cancelled.record("late", "bob", later)
    assert cancelled.runs() == ["late"]
    assert cancelled.since(later) == ["late"]
    assert cancelled.since(later + timedelta(seconds=1)) == []


@pytest.mark.parametrize("before", [10, 50_000])
def test_a_cancellation_reads_no_other(redis: Redis, before: int) -> None:
    cancelled = Cancellations(redis)
    for start in range(0, before, 10_000):
        runs = [f"r-{number}" for number in range(start, min(start + 10_000, before))]
        cancelled.record_many(runs, "ada", NOON)
    redis.config_resetstat()
    cancelled.record("one", "bob", NOON)
    calls = redis.info("commandstats")
    assert not {name for name in calls if "hgetall" in name or "hscan" in name}
    assert sum(facts["calls"] for facts in calls.values()) < 12
