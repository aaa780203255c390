"""Who leads: real processes, killed, frozen, robbed and cut off."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from redis import Redis

from scheduler.beat.leader import Leader
from scheduler.events.schema import RunQueued
from scheduler.schedules.store import ScheduleStore
from scheduler.settings.schema import Settings
from scheduler.storage import keys
from tests.support.beat.ours import OUR_BEAT
from tests.support.builders import every
from tests.support.processes import Process, start_beat
from tests.support.schedules.contents import events
from tests.support.schedules.late import due_since, full_second
from tests.support.valkey import ValkeyServer
from tests.support.waiting import stays, wait_for

STOCK = "redbeat.RedBeatScheduler"


def holder(redis: Redis) -> str:
    value: Any = redis.get(keys.BEAT_LOCK)
    return value or ""


def stand_by(settings: Settings, redis: Redis) -> Process:
    """A Beat of ours that has seen that another one leads."""
    beat = start_beat(settings, scheduler=OUR_BEAT, wait=False)
    wait_for(
        lambda: any(f":{beat.pid}:" in name for name in redis.hkeys(keys.BEATS_HASH)),
        30,
        "the stand-by is there",
    )
    return beat


def leads(beat: Process, redis: Redis) -> Callable[[], bool]:
    return lambda: f":{beat.pid}:" in holder(redis)


def seconds_until(fact: Callable[[], object], timeout: float) -> float:
    began = monotonic()
    wait_for(fact, timeout, every=0.005)
    return monotonic() - began


def fires(store: ScheduleStore, redis: Redis) -> bool:
    """Whether a schedule that is due is sent."""
    start = full_second() - timedelta(minutes=90)
    due_since(store, every(3600, start), start, "after")
    return bool(
        wait_for(
            lambda: any(isinstance(event, RunQueued) for event in events(redis)), 10, "a message"
        )
    )


def test_a_stand_by_takes_over_when_the_lock_of_a_killed_leader_has_run_out(
    settings: Settings, redis: Redis
) -> None:
    first = start_beat(settings, scheduler=OUR_BEAT)
    second = stand_by(settings, redis)
    first.kill()
    assert seconds_until(leads(second, redis), 10) <= settings.beat_lock_timeout + 1
    assert holder(redis).startswith("2:")


def test_a_stand_by_takes_over_at_once_from_a_leader_that_is_stopped(
    settings: Settings, redis: Redis
) -> None:
    first = start_beat(settings, scheduler=OUR_BEAT)
    second = stand_by(settings, redis)
    first.terminate()
    assert seconds_until(leads(second, redis), 10) <= 0.5
    assert first.wait() == 0


def test_a_frozen_leader_that_thaws_stands_by(settings: Settings, redis: Redis) -> None:
    first = start_beat(settings, scheduler=OUR_BEAT)
    os.kill(first.pid, signal.SIGSTOP)
    second = start_beat(settings, scheduler=OUR_BEAT)
    assert leads(second, redis)()
    os.kill(first.pid, signal.SIGCONT)
    first.wait_for_log("leads no more")
    assert first.running()
    stays(leads(second, redis), 1.5)


def test_ours_and_stock_exclude_each_other_and_take_over_from_each_other(
    settings: Settings, redis: Redis
) -> None:
    ours = start_beat(settings, scheduler=OUR_BEAT)
    stock = start_beat(settings, scheduler=STOCK, wait=False)
    stock.wait_for_log("beat: Starting")
    stays(leads(ours, redis), 2)
    ours.stop()
    stock.wait_for_log("beat: Acquired lock")
    ours = stand_by(settings, redis)
    stays(lambda: holder(redis) and not leads(ours, redis)(), 1.5)
    stock.kill()
    wait_for(leads(ours, redis), settings.beat_lock_timeout + 2)


@pytest.mark.parametrize("rob", ["gone", "taken"])
def test_a_lost_lock_does_not_end_beat(
    settings: Settings, redis: Redis, store: ScheduleStore, rob: str
) -> None:
    beat = start_beat(settings, scheduler=OUR_BEAT)
    if rob == "gone":
        redis.delete(keys.BEAT_LOCK)
    else:
        redis.set(keys.BEAT_LOCK, "a thief", px=1500)
    wait_for(lambda: holder(redis).startswith("2:"), 10, "it leads again, with another token")
    assert beat.running()
    assert fires(store, redis)


@pytest.mark.parametrize("seconds", [1, 10])
def test_a_redis_that_was_killed_and_comes_back_is_waited_for(
    settings: Settings, redis: Redis, store: ScheduleStore, valkey: ValkeyServer, seconds: float
) -> None:
    beat = start_beat(settings, scheduler=OUR_BEAT)
    valkey.kill()
    stays(beat.running, seconds)
    valkey.start()
    wait_for(leads(beat, redis), settings.beat_lock_timeout + 2)
    assert fires(store, redis)


def test_beat_starts_without_redis_and_leads_when_it_is_there(
    settings: Settings, redis: Redis, valkey: ValkeyServer
) -> None:
    valkey.stop()
    beat = start_beat(settings, scheduler=OUR_BEAT, wait=False)
    beat.wait_for_log("waits and tries again", timeout=60)
    valkey.start()
    wait_for(leads(beat, redis), 10)


def test_a_server_that_refuses_writes_is_waited_for(
    settings: Settings, redis: Redis, store: ScheduleStore
) -> None:
    """As a replica does with READONLY after a failover, and a primary without replicas with
    NOREPLICAS.
    """
    beat = start_beat(settings, scheduler=OUR_BEAT)
    redis.config_set("min-replicas-to-write", 1)
    beat.wait_for_log("NOREPLICAS")
    redis.config_set("min-replicas-to-write", 0)
    redis.replicaof("127.0.0.1", 1)
    beat.wait_for_log("waits and tries again: ReadOnlyError")
    redis.replicaof("no", "one")
    wait_for(leads(beat, redis), 10)
    assert beat.running()
    assert fires(store, redis)


def test_a_candidate_whose_answer_was_lost_knows_its_own_lock_again(redis: Redis) -> None:
    one, other = Leader(redis, keys.BEAT_LOCK, 3), Leader(redis, keys.BEAT_LOCK, 3)
    assert one.try_to_lead() == 0
    token = one.token
    one.step_down()
    assert 0 < other.try_to_lead() <= 3
    assert one.try_to_lead() == 0
    assert one.token == token
    one.step_down()
    one.leave()
    assert other.try_to_lead() == 0
    assert (one.epoch, other.epoch) == (0, 2)
