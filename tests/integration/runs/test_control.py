"""Runs at an operator's word, and the events of Beat."""

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from scheduler.errors import Refused, Unavailable
from scheduler.events.schema import RunQueued
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.builders import a_schedule, a_spec, every
from tests.support.processes import Process, start_beat
from tests.support.runs.stream import Stream
from tests.support.valkey import ValkeyServer
from tests.support.waiting import wait_for

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_run_by_hand_names_its_schedule_and_who_wanted_it(
    stream: Stream, services: Services, worker: Process
) -> None:
    schedule = a_schedule(job="tests.add", args=[2], kwargs={"y": 5}, revision=7)
    run = services.control.start(schedule, actor="ada@example.org", now=NOON)
    assert stream.end(run).result == 7
    for kind in ("run.queued", "run.received"):
        facts = stream.one(run, kind).facts
        assert (facts.schedule, facts.schedule_uid, facts.revision) == (
            schedule.name,
            schedule.uid,
            7,
        )
        assert (facts.trigger, facts.actor, facts.tick, facts.queued_at) == (
            "manual",
            "ada@example.org",
            None,
            NOON,
        )
        assert (facts.job, facts.args, facts.kwargs, facts.queue) == (
            "tests.add",
            [2],
            {"y": 5},
            "default",
        )


def test_a_run_by_hand_may_have_arguments_of_its_own(
    stream: Stream, services: Services, worker: Process
) -> None:
    schedule = a_schedule(job="tests.add", args=[2], kwargs={"y": 5})
    run = services.control.start(schedule, actor="a", args=[10], kwargs={}, now=NOON)
    assert stream.end(run).result == 11
    assert schedule.args == [2]


def test_a_run_goes_to_the_queue_of_its_schedule(
    services: Services, redis: "Redis", stream: Stream
) -> None:
    run = services.control.start(a_schedule(queue="slow"), actor="a", now=NOON)
    assert redis.llen("slow") == 1
    assert redis.llen("default") == 0
    assert stream.one(run, "run.queued").facts.queue == "slow"


def test_without_a_server_nothing_is_started_and_it_is_said(
    services: Services, valkey: ValkeyServer, redis: "Redis", stream: Stream
) -> None:
    valkey.stop()
    with pytest.raises(Unavailable, match="does not answer"):
        services.control.start(a_schedule(), actor="a", now=NOON)
    with pytest.raises(Unavailable, match="does not answer"):
        services.control.cancel("6c1b6e2e-1111-4222-8333-444444444444", "a", NOON)
    valkey.start()
    assert (redis.llen("default"), stream.events()) == (0, [])
    assert redis.exists(keys.LEASES_ZSET, keys.LEASE_OWNERS_HASH, keys.CANCELLED_HASH) == 0


def test_what_is_no_run_cannot_be_cancelled(services: Services) -> None:
    with pytest.raises(Refused, match="not the id of a run"):
        services.control.cancel("x" * 65, "a", NOON)


def test_cancellations_are_kept_for_a_week(services: Services) -> None:
    services.cancellations.record("r-1", "ada", NOON)
    services.cancellations.record("r-2", "bob", NOON + timedelta(days=7))
    assert sorted(services.cancellations.runs()) == ["r-1", "r-2"]
    services.cancellations.record("r-3", "bob", NOON + timedelta(days=7, seconds=1))
    assert sorted(services.cancellations.runs()) == ["r-2", "r-3"]
    assert services.cancellations.actor("r-2") == "bob"
    assert services.cancellations.actor("r-1") is None


def test_stock_beat_tells_what_it_has_queued_with_tick_and_schedule(
    stream: Stream, services: Services, job_settings: Settings, worker: Process
) -> None:
    wait_for(lambda: services.catalogue.get("tests.add"), 15, "the jobs are published")
    now = datetime.now(UTC)  # noqa: TID251 - Beat runs by the real clock
    spec = a_spec("often", "tests.add", when=every(1), args=[1], kwargs={"y": 1})
    schedule = services.schedules.create(spec, edit=Edit(actor="ada", now=now))
    start_beat(job_settings)

    def scheduled() -> list[RunQueued]:
        return [event for event in stream.events() if isinstance(event, RunQueued)]

    queued = wait_for(scheduled, 30, "Beat queues a run")[0]
    assert (queued.facts.schedule, queued.facts.schedule_uid, queued.facts.revision) == (
        "often",
        schedule.uid,
        1,
    )
    assert (queued.facts.trigger, queued.facts.queue) == ("schedule", "default")
    assert (queued.facts.args, queued.facts.kwargs) == ([1], {"y": 1})
    assert queued.facts.tick is not None
    assert queued.run == run_id(schedule.uid, queued.facts.tick)
    assert stream.end(queued.run).result == 2
    received = stream.one(queued.run, "run.received").facts
    assert received == queued.facts.model_copy(update={"queued_at": received.queued_at})
