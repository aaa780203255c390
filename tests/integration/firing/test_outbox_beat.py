"""Beat, a worker and a broker that is not Redis, whole: whatever is killed, each tick is run once."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from redis import Redis

from config.schema import Settings
from scheduler import keys
from scheduler.catalogue import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.events.schema import RunEvent, RunQueued, decode
from scheduler.firing import liveness
from scheduler.firing.outbox import backlog
from scheduler.rules.identity import run_id
from scheduler.rules.spec import Policies, Schedule
from scheduler.wiring import Desk
from tests.integration.firing.conftest import OURS
from tests.support.builders import NOON, a_spec, every
from tests.support.processes import start_beat, start_worker
from tests.support.waiting import wait_for

JOB = "tests.wait"


@pytest.fixture(params=["rabbit", "second_valkey"])
def broker(request: pytest.FixtureRequest) -> Any:
    """The test runs twice: with RabbitMQ as the broker, and with another Redis."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def settings(settings: Settings, broker: Any) -> Settings:
    """The settings with another broker than the Redis of the schedules, and the tests' jobs."""
    return settings.model_copy(update={"broker_url": broker.url, "jobs": ("tests.support.jobs",)})


class Witness:
    """What the stream says of runs."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def events(self) -> list[RunEvent]:
        entries: Any = self._redis.xrange(keys.EVENTS_STREAM)
        return [event for _, fields in entries if isinstance(event := decode(fields), RunEvent)]

    def count(self, kind: str) -> int:
        return len({event.run for event in self.events() if event.kind == kind})

    def more(self, kind: str, count: int = 3) -> None:
        """Wait for so many more runs of which this is told."""
        before = self.count(kind)
        wait_for(lambda: self.count(kind) >= before + count, 40, f"{count} more {kind} than {before}", every=0.2)

    def all_over(self) -> bool:
        return self.count("run.queued") == self.count("run.succeeded")


@pytest.fixture
def witness(redis: Redis) -> Witness:
    """What the stream says of runs."""
    return Witness(redis)


@pytest.fixture
def ticking(desk: Desk) -> Schedule:
    """A schedule that is due each second; each tick runs, however late."""
    job = Job(name=JOB, parameters=[Parameter(name="seconds", required=False)])
    desk.catalogue.publish([job], Worker(name="w", pid=1, host="h", at=NOON, jobs=[JOB]), NOON)
    policies = Policies(overlap="allow", catch_up="all")
    spec = a_spec("ticking", JOB, when=every(1.0), kwargs={"seconds": 0.01}, policies=policies)
    return desk.schedules.create(spec, actor="ada", now=utc_now())


def test_whatever_is_killed_each_tick_is_run_once(
    settings: Settings, desk: Desk, broker: Any, ticking: Schedule, witness: Witness
) -> None:
    start_worker(settings, concurrency=2)
    leader = start_beat(settings, scheduler=OURS)
    start_beat(settings, scheduler=OURS, wait=False)
    witness.more("run.succeeded")
    leader.kill()
    witness.more("run.succeeded")
    broker.stop()
    witness.more("run.queued")
    broker.start()
    witness.more("run.succeeded", 6)
    broker.kill()
    witness.more("run.queued")
    broker.start()
    witness.more("run.succeeded", 6)
    desk.schedules.set_enabled("ticking", False, actor="ada", now=utc_now())
    wait_for(witness.all_over, 60, "all that was queued has run")
    assert backlog(desk.redis).entries == 0

    told = Counter((event.run, event.kind) for event in witness.events())
    runs = {run for run, _ in told}
    assert [run for run in runs if told[run, "run.queued"] != 1] == []
    assert [run for run in runs if told[run, "run.succeeded"] != 1] == []
    queued = [event for event in witness.events() if isinstance(event, RunQueued)]
    ticks = sorted(event.facts.tick for event in queued if event.facts.tick is not None)
    assert [run_id(ticking.uid, tick) for tick in ticks] == [
        e.run for e in sorted(queued, key=lambda e: str(e.facts.tick))
    ]
    assert {later - tick for tick, later in pairwise(ticks)} == {timedelta(seconds=1)}


def test_the_way_in_use_is_told(settings: Settings, desk: Desk, ticking: Schedule, witness: Witness) -> None:
    beat = start_beat(settings, scheduler=OURS)
    beat.wait_for_log("'outbox'")
    wait_for(lambda: [pulse.way for pulse in liveness.read(desk.redis, utc_now())] == ["outbox"], 10)


def test_a_beat_that_starts_while_the_broker_is_away_puts_runs_into_the_outbox(
    settings: Settings, desk: Desk, broker: Any, ticking: Schedule, witness: Witness
) -> None:
    broker.stop()
    start_beat(settings, scheduler=OURS)
    witness.more("run.queued")
    assert backlog(desk.redis).entries >= 3
    broker.start()
    wait_for(lambda: backlog(desk.redis).entries <= 1, 30, "the outbox is empty")
