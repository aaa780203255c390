"""What workers publish, as the web and the commands read it."""

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from scheduler.catalogue.catalogue import Catalogue
from scheduler.catalogue.records import Job, Worker
from scheduler.clock import utc_now
from scheduler.errors import BadArguments, Refused, Unavailable, UnknownJob
from scheduler.health.status import workers_part
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.runs.house import House
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=31)


@pytest.fixture
def catalogue(redis: "Redis") -> Catalogue:
    """An empty one."""
    return Catalogue(redis)


def a_worker(name: str, *jobs: str, at: datetime = NOON) -> Worker:
    return Worker(name=name, pid=1, host="h", at=at, jobs=list(jobs))


def test_a_real_worker_publishes_its_jobs_and_itself(house: House) -> None:
    catalogue = Services(house.settings).catalogue
    (worker,) = wait_for(catalogue.workers, 15, "the worker is there")
    assert worker.pid == house.worker.pid
    assert (worker.queues, worker.concurrency, worker.active) == (
        ["bulk", "celery", "critical", "default"],
        1,
        0,
    )
    jobs = {job.name: job for job in catalogue.jobs(worker.at)}
    assert set(jobs) >= {
        "reports.job_summary",
        "cleanup.job_history",
        "cleanup.reports",
        "demo.long_task",
        "tests.add",
    }
    assert not [name for name in jobs if name.startswith("celery.")]
    summary = jobs["reports.job_summary"]
    assert summary.title.startswith("Job summary")
    assert [(p.name, p.annotation, p.default) for p in summary.parameters][1:3] == [
        ("days", "int | None", None),
        ("timezone", "str | None", None),
    ]
    assert summary.workers == [worker.name]
    assert summary.module == "scheduler.jobs.reports"


def test_a_job_is_offered_by_the_workers_that_live(catalogue: Catalogue) -> None:
    catalogue.publish([Job(name="a"), Job(name="b")], a_worker("w1", "a", "b"), NOON)
    catalogue.publish([Job(name="a")], a_worker("w2", "a", at=LATER), LATER)
    assert {job.name: job.workers for job in catalogue.jobs(NOON)} == {
        "a": ["w1", "w2"],
        "b": ["w1"],
    }
    assert {job.name: job.workers for job in catalogue.jobs(LATER)} == {"a": ["w2"], "b": []}
    assert [worker.name for worker in catalogue.workers(LATER)] == ["w2"]


def test_a_job_that_nobody_offers_any_more_stays_known_until_it_is_forgotten(
    catalogue: Catalogue,
) -> None:
    catalogue.publish([Job(name="a")], a_worker("w1", "a"), NOON)
    catalogue.check_call("a", [], {})
    with pytest.raises(Refused, match="offered by w1"):
        catalogue.forget("a", NOON)
    catalogue.leave("w1")
    job = catalogue.get("a", NOON)
    assert job is not None
    assert job.workers == []
    catalogue.check_call("a", [], {})
    catalogue.forget("a", NOON)
    assert catalogue.get("a") is None


def test_a_call_is_checked_against_what_is_published(catalogue: Catalogue) -> None:
    catalogue.publish([Job(name="reports.a")], a_worker("w1", "reports.a"), NOON)
    with pytest.raises(UnknownJob, match=r"did you mean reports\.a"):
        catalogue.check_call("reports.b", [], {})
    with pytest.raises(BadArguments, match="no parameter 'x'"):
        catalogue.check_call("reports.a", [], {"x": 1})


def test_workers_that_have_been_gone_for_a_day_are_dropped(catalogue: Catalogue) -> None:
    catalogue.publish([], a_worker("old"), NOON)
    tomorrow = NOON + timedelta(days=1, seconds=1)
    catalogue.publish([], a_worker("new", at=tomorrow), tomorrow)
    assert [worker.name for worker in catalogue.workers()] == ["new"]


def test_what_others_have_written_there_is_passed_over(
    catalogue: Catalogue, redis: "Redis"
) -> None:
    redis.hset(keys.CATALOGUE_HASH, "odd", "{not json")
    redis.hset(keys.WORKERS_HASH, "odd", '{"name": 3}')
    catalogue.publish([Job(name="a")], a_worker("w1", "a"), NOON)
    assert [job.name for job in catalogue.jobs(NOON)] == ["a"]
    assert catalogue.get("odd") is None


def test_a_server_that_does_not_answer_is_said_so(
    valkey: ValkeyServer, catalogue: Catalogue
) -> None:
    valkey.stop()
    with pytest.raises(Unavailable, match="beatdesk doctor"):
        catalogue.jobs(NOON)


def test_workers_publish_again_what_an_emptied_redis_has_lost_and_it_is_told(house: House) -> None:
    services = Services(house.settings)
    wait_for(lambda: services.catalogue.get("tests.add"), 15, "the jobs are published")
    assert services.catalogue.refilled_at() is None
    services.redis.flushall()
    wait_for(lambda: services.catalogue.get("tests.add"), 10, "the jobs are published again")
    now = utc_now()
    refilled = services.catalogue.refilled_at()
    assert refilled is not None
    assert now - refilled < timedelta(minutes=1)
    part = workers_part(services, now)
    assert f"the catalogue was empty, and published again at {refilled:%H:%M:%S} UTC" in (
        part.summary
    )
    assert part.ok


def test_a_heartbeat_tells_whether_each_job_is_in_the_catalogue(catalogue: Catalogue) -> None:
    worker = a_worker("w1", "a", "b")
    assert not catalogue.heartbeat(worker)
    catalogue.publish([Job(name="a"), Job(name="b")], worker, NOON)
    assert catalogue.heartbeat(worker)
    assert not catalogue.heartbeat(a_worker("w1", "a", "b", "c"))
