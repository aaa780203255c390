"""What one turn of a Beat does to the lock, to what is set aside and to what it says of itself."""

from datetime import timedelta

import pytest
from redis import Redis

from scheduler.beat import Scheduler, heartbeat
from scheduler.beat.heartbeat import Heartbeat
from scheduler.beat.leader import Leader
from scheduler.clock import utc_now
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.beat.ours import our_beat


def left_ms(redis: Redis) -> int:
    """How long the lock lives."""
    return int(redis.pttl(keys.BEAT_LOCK))


def test_each_turn_of_a_leader_renews_its_lock_idle_or_not(beat: Scheduler, redis: Redis) -> None:
    beat.tick()
    redis.pexpire(keys.BEAT_LOCK, 1000)
    beat.tick()
    assert 2000 < left_ms(redis) <= 3000


def test_a_lock_that_is_anothers_is_neither_renewed_nor_shortened_nor_given_back(
    beat: Scheduler, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    beat.tick()
    redis.set(keys.BEAT_LOCK, "2:other:1:x", px=60_000)
    beat.tick()
    beat.tick()
    beat.close()
    assert redis.get(keys.BEAT_LOCK) == "2:other:1:x"
    assert 50_000 < left_ms(redis) <= 60_000
    assert heartbeat.read(redis, utc_now()) == []
    assert "leads no more, stands by" in caplog.text
    assert "Releasing lock" not in caplog.text


def test_a_candidate_whose_name_ends_as_the_holders_does_is_not_the_holder(redis: Redis) -> None:
    one, other = Leader(redis, keys.BEAT_LOCK, 3), Leader(redis, keys.BEAT_LOCK, 3)
    one.identity, other.identity = "a-host:1:x", "host:1:x"
    assert one.try_to_lead() == 0
    assert other.try_to_lead() > 0
    other.leave()
    assert redis.get(keys.BEAT_LOCK) == one.token


def test_a_holder_that_asks_again_has_its_whole_time_again(redis: Redis) -> None:
    one = Leader(redis, keys.BEAT_LOCK, 3)
    one.try_to_lead()
    redis.pexpire(keys.BEAT_LOCK, 1000)
    one.try_to_lead()
    assert left_ms(redis) > 2000


def test_a_lock_without_end_is_asked_for_again_in_a_second_and_each_leader_has_a_number_of_its_own(
    redis: Redis,
) -> None:
    redis.set(keys.BEAT_LOCK, "stock's own")
    one = Leader(redis, keys.BEAT_LOCK, 3)
    assert one.try_to_lead() == 1
    redis.delete(keys.BEAT_LOCK)
    numbers = []
    for leader in (one, Leader(redis, keys.BEAT_LOCK, 3), one):
        assert leader.try_to_lead() == 0
        assert 2000 < left_ms(redis) <= 3000
        numbers.append(leader.epoch)
        leader.leave()
    assert numbers == [1, 2, 3]


def test_who_leaves_says_so_to_those_who_wait(redis: Redis) -> None:
    one = Leader(redis, keys.BEAT_LOCK, 3)
    one.try_to_lead()
    with redis.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe(keys.WAKE_CHANNEL)
        channel.get_message(timeout=5)
        one.leave()
        said = channel.get_message(timeout=5)
    assert said is not None
    assert redis.get(keys.BEAT_LOCK) is None


def pulse(name: str, ago: timedelta, *, leads: bool = False) -> Heartbeat:
    return Heartbeat(name=name, at=utc_now() - ago, host="h", pid=1, leads=leads)


def test_beats_are_told_the_leader_first_and_those_that_fell_silent_are_not(redis: Redis) -> None:
    for one in (
        pulse("a", timedelta(seconds=1)),
        pulse("b", timedelta(seconds=2), leads=True),
        pulse("silent", timedelta(seconds=16)),
    ):
        heartbeat.write(redis, one)
    redis.hset(keys.BEATS_HASH, "older", "{}")
    assert [one.name for one in heartbeat.read(redis, utc_now())] == ["b", "a"]


def test_a_new_leader_forgets_beats_that_were_silent_for_an_hour_and_no_others(
    beat: Scheduler, redis: Redis, services: Services
) -> None:
    heartbeat.write(redis, pulse("dead", timedelta(minutes=61)))
    heartbeat.write(redis, pulse("ill", timedelta(minutes=59)))
    redis.hset(keys.BEATS_HASH, "older", "{}")
    beat.tick()
    beat.tick()
    names = set(redis.hkeys(keys.BEATS_HASH))
    assert "ill" in names
    assert names.isdisjoint({"dead", "older"})
    (leader,) = heartbeat.read(redis, utc_now())
    assert (leader.leads, leader.epoch, leader.delivery_mode) == (True, 1, "atomic")
    stand_by = our_beat(services)
    stand_by.tick()
    assert [one.leads for one in heartbeat.read(redis, utc_now())] == [True, False]
    stand_by.close()
    assert redis.get(keys.BEAT_LOCK) is not None
