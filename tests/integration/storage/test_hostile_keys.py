"""Foreign values under every key: each loop goes on, and a key of another type is named."""

from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import RedisError

from scheduler.beat import Scheduler
from scheduler.clock import utc_now
from scheduler.errors import Unavailable
from scheduler.health.status import status
from scheduler.rules.model.identity import plain_uid
from scheduler.services.services import Services
from scheduler.storage import key_types, keys
from tests.support.beat.ours import our_beat
from tests.support.schedules.contents import messages, plain
from tests.support.schedules.raw_entries import definition
from tests.support.storage.loops import Pass, faults_of, passes
from tests.support.storage.planted import of_another_type, put

LOCKS = {keys.BEAT_LOCK, keys.BEAT_EPOCH}
"""Whose foreign value means that another Beat leads, or that none can."""


@pytest.fixture
def beat(services: Services) -> Iterator[Scheduler]:
    """A Beat that leads, with an entry of its own."""
    scheduler = our_beat(services)
    scheduler.tick()
    plain(services, "neighbour", task="mail.digest", kwargs={})
    yield scheduler
    scheduler.close()


@pytest.fixture
def loops(services: Services, beat: Scheduler) -> dict[str, Pass]:
    """Every loop, after a first pass."""
    found = passes(services, beat)
    assert faults_of(found) == {}
    return found


class Content:
    """A key's content, put back in the end."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis = redis
        self._key = key
        self._dump = redis.execute_command("DUMP", key, NEVER_DECODE=True)

    def put_back(self) -> None:
        self._redis.delete(self._key)
        if self._dump is not None:
            self._redis.restore(self._key, 0, self._dump)


def test_foreign_content_under_any_key_ends_no_loop(
    loops: dict[str, Pass], services: Services, redis: Redis
) -> None:
    faults = {}
    for key, kind in key_types.types().items():
        content = Content(services.redis, key)
        put(redis, key, kind)
        if found := faults_of(loops):
            faults[key] = found
        content.put_back()
    assert faults == {}
    assert faults_of(loops) == {}


def test_a_key_of_another_type_ends_no_loop_and_is_named(
    loops: dict[str, Pass], services: Services, redis: Redis
) -> None:
    faults = {}
    for key, kind in key_types.types().items():
        content = Content(services.redis, key)
        found_kind = of_another_type(key)
        redis.delete(key)
        put(redis, key, found_kind)
        part = status(services, utc_now()).redis
        if f"the key {key} holds a {found_kind}, and not a {kind}" not in part.summary:
            faults[key] = {"status": part.summary}
        elif found := faults_of(loops, (RedisError, Unavailable)):
            faults[key] = found
        content.put_back()
    assert faults == {}
    assert faults_of(loops) == {}
    assert status(services, utc_now()).redis.ok


def test_every_key_that_is_written_is_of_the_type_that_is_expected(
    loops: dict[str, Pass], services: Services
) -> None:
    assert faults_of(loops) == {}
    assert key_types.misplaced(services.redis) == []
    written = {key for key in key_types.types() if services.redis.exists(key)}
    assert {keys.SCHEDULE_ZSET, keys.BEAT_LOCK, keys.BEATS_HASH, keys.WORKERS_HASH} <= written


@pytest.mark.parametrize("prefix", [keys.WAITING_PREFIX, keys.ALIVE_PREFIX])
@pytest.mark.parametrize("kind", ["zset", "string"])
def test_foreign_content_under_a_key_of_one_schedule_costs_only_this_schedule(
    loops: dict[str, Pass], services: Services, redis: Redis, prefix: str, kind: str
) -> None:
    put(redis, prefix + plain_uid("hostile"), kind)
    for name in ("hostile", "later"):
        text = definition(name=name, task=name, options={"queue": name})
        redis.hset(keys.entry(name), "definition", text)
        redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): utc_now().timestamp() - 1})
    assert faults_of(loops, (Unavailable,)) == {}
    assert [sent["headers"]["task"] for sent in messages(redis, "later")] == ["later"]
