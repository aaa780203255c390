"""Redis Sentinel with real processes: the primary is killed below Beats that run, and its replica
takes over.

Redis copies to its replicas after it has answered. What the primary had not copied yet is gone with
it: here that are whole transactions, so that their ticks are due again, and are sent to the queue
of the new primary.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from scheduler.catalogue.records import Job, Parameter, Worker
from scheduler.clock import utc_now
from scheduler.events.schema import Event, RunQueued, RunSucceeded
from scheduler.publishing import delivery_mode
from scheduler.redbeat import waiting
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import IntervalWhen, Policies, Spec
from scheduler.services.services import Services
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.beat.ours import OUR_BEAT
from tests.support.fixtures import migrate
from tests.support.processes import start_beat, start_worker
from tests.support.schedules.contents import events
from tests.support.sentinel import MASTER, SentinelGroup
from tests.support.waiting import wait_for

JOB = "demo.long_task"
NAMES = ("one", "two", "three")
SECOND = timedelta(seconds=1)


@pytest.fixture
def settings(group: SentinelGroup, tmp_path: Path) -> Settings:
    return Settings(
        data_dir=tmp_path / "data",
        redis_url=group.url,
        redis_master=MASTER,
        database_url=f"sqlite:///{tmp_path / 'history.sqlite3'}",
        secret_key="not-a-secret-not-a-secret-not-a-secret",
        beat_lock_timeout=3,
        worker_concurrency=1,
    )


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    settings.data_dir.mkdir()
    services = Services(settings)
    migrate(services.engine)
    yield services
    services.engine.dispose()
    services.redis.close()


def each_second(services: Services) -> dict[str, str]:
    """Schedules that fire each second and catch up with all that they missed, which waits its turn;
    their uids.
    """
    now = utc_now()
    offered = Job(name=JOB, parameters=[Parameter(name="duration", required=False)])
    services.catalogue.publish(
        [offered], Worker(name="w", pid=1, host="h", at=now, jobs=[JOB]), now
    )
    anchor = now.replace(microsecond=0) + SECOND
    regardless = Policies(overlap="allow", catch_up="all")
    uids = {}
    for name in NAMES:
        when = IntervalWhen(every=1, anchor=anchor)
        spec = Spec(name=name, job=JOB, when=when, kwargs={"duration": 0}, policies=regardless)
        uids[name] = services.schedules.create(spec, edit=Edit(actor="ada", now=now)).uid
    return uids


def of_kind(redis: Redis, kind: type[Event]) -> list[Any]:
    """The facts of one kind; none while no server answers."""
    try:
        return [event for event in events(redis) if isinstance(event, kind)]
    except RedisError:
        return []


def until_newer(redis: Redis, kind: type[Event], than: datetime, timeout: float) -> float:
    """Wait for a fact of a tick after `than`; for how many seconds."""
    began = monotonic()
    wait_for(
        lambda: any(
            event.facts and event.facts.tick and event.facts.tick > than
            for event in of_kind(redis, kind)
        ),
        timeout,
        f"a {kind.__name__} of a tick after {than}",
    )
    return monotonic() - began


def test_messages_take_the_atomic_way_behind_sentinels(services: Services) -> None:
    assert delivery_mode.choose(services.celery, services.redis) == "atomic"


def test_beat_goes_on_when_the_primary_is_killed_and_sends_each_tick_once(
    settings: Settings, services: Services, group: SentinelGroup
) -> None:
    beats = [
        start_beat(settings, scheduler=OUR_BEAT),
        start_beat(settings, scheduler=OUR_BEAT, wait=False),
    ]
    uids = each_second(services)
    redis = services.redis
    until_newer(redis, RunQueued, utc_now() + SECOND, 20)
    killed = group.kill_primary()
    wait_for(lambda: group.primary() != killed, 30, "the replica is the primary")
    until_newer(redis, RunQueued, utc_now(), 15)
    group.restart(killed)
    wait_for(
        lambda: redis.info("replication")["connected_slaves"] == 1,
        40,
        "the old primary follows the new one",
    )
    until_newer(redis, RunQueued, utc_now() + SECOND, 15)
    assert all(beat.running() for beat in beats)
    sent = Counter((event.facts.schedule, event.facts.tick) for event in of_kind(redis, RunQueued))
    assert set(sent.values()) == {1}
    for name, uid in uids.items():
        waits = [waiting.read(text).tick for text in redis.zrange(keys.WAITING_PREFIX + uid, 0, -1)]
        ticks = sorted([*(tick for one, tick in sent if one == name), *waits])
        assert ticks == [ticks[0] + number * SECOND for number in range(len(ticks))]
    assert redis.llen("default") >= len(sent)


def test_a_worker_goes_on_too(settings: Settings, services: Services, group: SentinelGroup) -> None:
    start_beat(settings, scheduler=OUR_BEAT)
    worker = start_worker(settings)
    each_second(services)
    until_newer(services.redis, RunQueued, utc_now() + SECOND, 20)
    wait_for(lambda: of_kind(services.redis, RunSucceeded), 20, "a run has succeeded")
    killed = group.kill_primary()
    wait_for(lambda: group.primary() != killed, 30, "the replica is the primary")
    since = utc_now()

    def done() -> bool:
        return any(event.at > since for event in of_kind(services.redis, RunSucceeded))

    wait_for(done, 40, "a run has succeeded since")
    assert worker.running()
    wait_for(
        lambda: services.redis.exists(keys.BEAT_LOCK),
        20,
        "a Beat leads again: a run may have waited in its queue",
    )
