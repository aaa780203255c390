"""Lists that remember, on Redis itself and behind Sentinel: the primary is killed, and its replica
takes over.
"""

from typing import Any

from redis import Redis

from scheduler.catalogue.catalogue import Catalogue
from scheduler.errors import Unavailable
from scheduler.redbeat import codec
from scheduler.schedules.list_cache import ListCache
from scheduler.schedules.store import ScheduleStore
from scheduler.storage import keys
from scheduler.storage.client import connect
from tests.support.builders import NOON, a_schedule
from tests.support.sentinel import MASTER, SentinelGroup
from tests.support.waiting import wait_for


def damaged(redis: "Redis", name: str) -> None:
    """An entry that cannot be read."""
    redis.hset(keys.entry(name), keys.DEFINITION_FIELD, "{")
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): 0})


def test_a_list_goes_on_with_what_the_new_primary_has(group: SentinelGroup) -> None:
    redis: Any = connect(group.url, MASTER)
    store = ScheduleStore(redis, Catalogue(redis), ListCache(redis))

    def problems() -> list[str] | None:
        try:
            return [line.name for line in store.page(state="problem", now=NOON).items]
        except Unavailable:
            return None

    damaged(redis, "first")
    redis.hset(keys.entry("second"), keys.DEFINITION_FIELD, "{")
    assert problems() == ["first"]
    redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("second"): 0})
    assert problems() == ["first", "second"]
    redis.wait(1, 5000)
    group.kill_primary()
    wait_for(lambda: problems() == ["first", "second"], 60, "the new primary answers")
    redis.delete(keys.entry("first"))
    redis.zrem(keys.SCHEDULE_ZSET, keys.entry("first"))
    damaged(redis, "third")
    assert problems() == ["second", "third"]
    redis.hset(
        keys.entry("second"), keys.DEFINITION_FIELD, codec.encode_definition(a_schedule("second"))
    )
    assert problems() == ["third"]
    redis.close()
