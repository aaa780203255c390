"""Loops that exist in several processes take turns."""

from redis import Redis

from scheduler.storage.turns import Turn, TurnLock
from tests.support.waiting import wait_for

LOCK = "tests:turn"


def test_the_loop_with_the_lock_keeps_it_and_the_others_wait(redis: Redis) -> None:
    one, other = (TurnLock(redis, LOCK, name, 60_000) for name in ("one", "other"))
    assert one.take() is Turn.NEW
    assert one.take() is Turn.HELD
    assert other.take() is Turn.OTHERS
    assert redis.get(LOCK) == "one"


def test_the_lock_of_a_loop_that_ended_is_free_after_its_time(redis: Redis) -> None:
    one, other = (TurnLock(redis, LOCK, name, 300) for name in ("one", "other"))
    one.take()
    wait_for(lambda: other.take() is Turn.NEW, 5, "the lock expires")
    assert one.take() is Turn.OTHERS


def test_a_renewal_lets_the_lock_last_as_long_again(redis: Redis) -> None:
    lock = TurnLock(redis, LOCK, "one", 60_000)
    lock.take()
    redis.pexpire(LOCK, 5_000)
    assert lock.take() is Turn.HELD
    assert redis.pttl(LOCK) > 50_000
