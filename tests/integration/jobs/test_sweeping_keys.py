"""Idle keys on a real server: exactly those go, and nothing that is Beatdesk's, RedBeat's or
Celery's.
"""

import pytest
from redis import Redis

from scheduler.errors import Refused
from scheduler.jobs.sweeping.keys import bound_queues, is_protected, unlink_idle
from scheduler.settings.job_limits import RedisKeys, redis_keys


def gone(redis: Redis, keys: RedisKeys, seconds: int, *, dry_run: bool = False) -> set[str]:
    """The keys that were found idle."""
    return {
        key
        for _, found in unlink_idle(redis, keys, seconds, {"default"}, dry_run=dry_run)
        for key in found
    }


def idle_for(redis: Redis, key: str, seconds: int) -> None:
    """Let the server think that nobody has touched the key for so long."""
    dump = redis.execute_command("DUMP", key, NEVER_DECODE=True)
    redis.execute_command("RESTORE", key, 0, dump, "REPLACE", "IDLETIME", seconds)


def test_only_keys_of_the_pattern_that_are_idle_go(redis: Redis) -> None:
    for key in ("session:1", "session:2", "other:1"):
        redis.set(key, "x")
    redis.hset("session:3", "a", "b")
    for key in ("session:1", "session:3", "other:1"):
        idle_for(redis, key, 7200)
    entry = redis_keys("session:* 1h")
    assert gone(redis, entry, 3600, dry_run=True) == {"session:1", "session:3"}
    assert redis.exists("session:1") == 1
    assert gone(redis, entry, 3600) == {"session:1", "session:3"}
    assert set(redis.keys("*")) == {"session:2", "other:1"}


def test_thousands_of_keys_go_in_batches(redis: Redis) -> None:
    with redis.pipeline() as pipe:
        for number in range(3000):
            pipe.set(f"page:{number}", "x")
        pipe.execute()
    assert len(gone(redis, redis_keys("page:* 1h"), 0)) == 3000
    assert redis.dbsize() == 0


def test_keys_that_are_not_yours_stay_whatever_the_pattern_says(redis: Redis) -> None:
    ours = [
        "beatdesk:events",
        "redbeat:x",
        "_kombu.binding.celery",
        "unacked",
        "celery",
        "default",
        "default\x06\x163",
    ]
    for key in [*ours, "cache:1"]:
        redis.set(key, "x")
    everything = RedisKeys("*", redis_keys("cache:* 1h").idle)
    assert gone(redis, everything, 0) == {"cache:1"}
    assert set(redis.keys("*")) == set(ours)
    assert all(is_protected(key, {"default"}) for key in ours)


def test_a_server_that_does_not_know_idle_times_is_told(redis: Redis) -> None:
    redis.config_set("maxmemory-policy", "allkeys-lfu")
    try:
        redis.set("session:1", "x")
        with pytest.raises(Refused, match="set maxmemory-policy noeviction"):
            gone(redis, redis_keys("session:* 1h"), 3600)
    finally:
        redis.config_set("maxmemory-policy", "noeviction")


def test_a_queue_without_a_worker_keeps_its_messages(redis: Redis) -> None:
    message = '{"body": "W10=", "headers": {}, "properties": {"delivery_tag": "1"}}'
    for key in ("shop:orders", "shop:orders\x06\x163"):
        redis.rpush(key, message)
    redis.rpush("shop:words", "a", "b")
    redis.sadd("_kombu.binding.orders", "orders\x06\x16\x06\x16shop:bound")
    redis.set("shop:bound", "x")
    entry = redis_keys("shop:* 1h")
    assert bound_queues(redis) == {"shop:bound"}
    found = {
        key
        for _, names in unlink_idle(redis, entry, 0, bound_queues(redis), dry_run=False)
        for key in names
    }
    assert found == {"shop:words"}
    assert set(redis.keys("shop:*")) == {"shop:orders", "shop:orders\x06\x163", "shop:bound"}
