"""Beat, a worker and a broker that is not Redis, whole: whatever is killed, each tick is run
once.
"""

import os
import signal
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from redis import Redis

from scheduler.beat import heartbeat
from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.events.schema import RunEvent, RunQueued, TicksSkipped, decode
from scheduler.health import status
from scheduler.health.status import beat_part
from scheduler.publishing.outbox import LONG_SECONDS, backlog
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.identity import run_id
from scheduler.rules.model.spec import Policies, Schedule
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.beat.ours import OUR_BEAT
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

    def dropped(self) -> list[datetime]:
        """The ticks that waited for their turn when the schedule was switched off."""
        entries: Any = self._redis.xrange(keys.EVENTS_STREAM)
        told = [event for _, fields in entries if isinstance(event := decode(fields), TicksSkipped)]
        assert [event for event in told if (event.reason, event.ticks) != ("operator", 1)] == []
        return [event.tick_from for event in told]

    def count(self, kind: str) -> int:
        return len({event.run for event in self.events() if event.kind == kind})

    def more(self, kind: str, count: int = 3) -> None:
        """Wait for so many more runs of which this is told."""
        before = self.count(kind)
        wait_for(
            lambda: self.count(kind) >= before + count,
            40,
            f"{count} more {kind} than {before}",
            every=0.2,
        )

    def all_over(self) -> bool:
        """Has each run ended? The last ones may be skipped by a worker, as the schedule is off."""
        return self.count("run.queued") == self.count("run.succeeded") + self.count("run.skipped")

    def gaps(self) -> set[timedelta]:
        """What lies between one tick that was queued, or dropped, and the next."""
        queued = [event.facts.tick for event in self.events() if isinstance(event, RunQueued)]
        verdicts = sorted([*(tick for tick in queued if tick is not None), *self.dropped()])
        return {later - tick for tick, later in pairwise(verdicts)}


@pytest.fixture
def witness(redis: Redis) -> Witness:
    """What the stream says of runs."""
    return Witness(redis)


@pytest.fixture
def ticking(services: Services) -> Schedule:
    """A schedule that is due each second; each tick runs, however late."""
    job = Job(name=JOB, parameters=[Parameter(name="seconds", required=False)])
    services.catalogue.publish([job], Worker(name="w", pid=1, host="h", at=NOON, jobs=[JOB]), NOON)
    policies = Policies(overlap="allow", catch_up="all")
    spec = a_spec("ticking", JOB, when=every(1.0), kwargs={"seconds": 0.01}, policies=policies)
    return services.schedules.create(spec, edit=Edit(actor="ada", now=utc_now()))


def test_whatever_is_killed_each_tick_is_run_once(
    settings: Settings, services: Services, broker: Any, ticking: Schedule, witness: Witness
) -> None:
    start_worker(settings, concurrency=2)
    leader = start_beat(settings, scheduler=OUR_BEAT)
    start_beat(settings, scheduler=OUR_BEAT, wait=False)
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
    each_tick_is_run_once(services, ticking, witness)


def test_a_leader_that_was_frozen_past_its_lock_publishes_nothing_again(
    settings: Settings, services: Services, ticking: Schedule, witness: Witness
) -> None:
    start_worker(settings, concurrency=2)
    frozen = start_beat(settings, scheduler=OUR_BEAT)
    start_beat(settings, scheduler=OUR_BEAT, wait=False).wait_for_log("beat: Starting")
    witness.more("run.succeeded")
    leader = services.redis.get(keys.BEAT_LOCK)
    os.killpg(frozen.pid, signal.SIGSTOP)
    wait_for(
        lambda: services.redis.get(keys.BEAT_LOCK) not in (None, leader), 20, "another Beat leads"
    )
    witness.more("run.succeeded")
    os.killpg(frozen.pid, signal.SIGCONT)
    frozen.wait_for_log("leads no more, stands by")
    witness.more("run.succeeded")
    each_tick_is_run_once(services, ticking, witness)


def each_tick_is_run_once(services: Services, ticking: Schedule, witness: Witness) -> None:
    """Stop the schedule: no second is without its run or its turn to come, and none was run
    twice.
    """
    services.schedules.set_enabled("ticking", False, edit=Edit(actor="ada", now=utc_now()))
    wait_for(witness.all_over, 60, "all that was queued has run")
    wait_for(
        lambda: backlog(services.redis).entries == 0, 20, "what has run is no more in the outbox"
    )
    wait_for(
        lambda: witness.gaps() == {timedelta(seconds=1)},
        20,
        "Beat has dropped what waited for its turn",
    )
    told = Counter((event.run, event.kind) for event in witness.events())
    runs = {run for run, _ in told}
    assert [run for run in runs if told[run, "run.queued"] != 1] == []
    assert [run for run in runs if told[run, "run.succeeded"] + told[run, "run.skipped"] != 1] == []
    queued = [event for event in witness.events() if isinstance(event, RunQueued)]
    ticks = sorted(event.facts.tick for event in queued if event.facts.tick is not None)
    assert [run_id(ticking.uid, tick) for tick in ticks] == [
        e.run for e in sorted(queued, key=lambda e: str(e.facts.tick))
    ]


def test_the_way_in_use_is_told(
    settings: Settings, services: Services, ticking: Schedule, witness: Witness
) -> None:
    beat = start_beat(settings, scheduler=OUR_BEAT)
    beat.wait_for_log("'outbox'")
    wait_for(
        lambda: (
            [pulse.delivery_mode for pulse in heartbeat.read(services.redis, utc_now())]
            == ["outbox"]
        ),
        10,
    )


def test_a_beat_that_starts_while_the_broker_is_away_puts_runs_into_the_outbox(
    settings: Settings, services: Services, broker: Any, ticking: Schedule, witness: Witness
) -> None:
    broker.stop()
    start_beat(settings, scheduler=OUR_BEAT)
    witness.more("run.queued")
    assert backlog(services.redis).entries >= 3
    broker.start()
    wait_for(lambda: backlog(services.redis).entries <= 1, 30, "the outbox is empty")


def test_what_waits_in_the_outbox_is_told_and_is_not_well_when_it_waits_long(
    services: Services,
    broker: Any,
    ticking: Schedule,
    witness: Witness,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker.stop()
    start_beat(services.settings, scheduler=OUR_BEAT)
    witness.more("run.queued")
    (pulse,) = wait_for(
        lambda: [one for one in heartbeat.read(services.redis, utc_now()) if one.blocked_by], 40
    )
    assert pulse.waiting >= 3
    assert pulse.waiting_seconds > 1
    part = beat_part(services, utc_now())
    assert part.ok == (pulse.waiting_seconds < LONG_SECONDS)
    assert "in the outbox for" in part.summary
    monkeypatch.setattr(status, "LONG_SECONDS", 1.0)  # nobody waits for half a minute here
    part = beat_part(services, utc_now())
    assert not part.ok
    assert pulse.blocked_by in part.summary


def test_what_is_left_in_the_outbox_under_a_beat_that_does_not_know_it_is_not_well(
    services: Services, settings: Settings
) -> None:
    services.redis.set(keys.BEAT_LOCK, "stock's token", ex=30)
    assert beat_part(services, utc_now()).ok
    services.redis.xadd(keys.OUTBOX_STREAM, {"call": "{}"})
    part = beat_part(services, utc_now())
    assert not part.ok
    assert "1 run in the outbox" in part.summary
