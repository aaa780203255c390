"""A recorder that runs sees what is lost, and repairs it within five seconds; Beat fires no tick
twice.
"""

from time import monotonic

import pytest

from scheduler.clock import utc_now
from scheduler.rules.model.edit import Edit
from scheduler.storage import keys
from tests.support.builders import JOB, a_spec, every
from tests.support.healing.house import House
from tests.support.processes import start_recorder
from tests.support.waiting import stays, wait_for

SECONDS = 5.0


@pytest.fixture
def running(house: House, settings):
    """Twenty schedules that the history knows, and a recorder that has looked at them."""
    for number in range(20):
        house.services.schedules.create(
            a_spec(f"job-{number}", JOB, when=every(3600)), edit=Edit(actor="ada", now=utc_now())
        )
    start_recorder(settings)
    wait_for(
        lambda: len(house.services.history.changes(limit=100).items) == 20,
        20,
        "the history knows all",
    )
    wait_for(lambda: house.services.redis.get(keys.HEALER_LOCK), 10, "somebody watches")
    return house


def test_an_emptied_redis_is_full_again_within_five_seconds(running: House) -> None:
    store = running.services.schedules
    before = [store.get(name) for name in store.names()]
    for _ in range(2):
        running.services.redis.flushall()
        since = monotonic()
        wait_for(lambda: len(store.names()) == 20, 10, "all are back")
        assert monotonic() - since < SECONDS
        assert [store.get(name) for name in store.names()] == before


def test_a_single_entry_is_back_within_five_seconds(running: House) -> None:
    redis, key = running.services.redis, keys.entry("job-7")
    kept = redis.hgetall(key)
    for lose in (
        lambda: redis.delete(key),
        lambda: redis.zrem(keys.SCHEDULE_ZSET, key),
        lambda: redis.hset(key, "definition", "no JSON"),
        lambda: redis.hset(key, "beatdesk", kept["beatdesk"].replace('"uid":"', '"uid":"no ')),
    ):
        lose()
        since = monotonic()
        wait_for(
            lambda: redis.hgetall(key) == kept and redis.zscore(keys.SCHEDULE_ZSET, key),
            10,
            "it is back",
        )
        assert monotonic() - since < SECONDS


def test_a_deletion_under_way_is_never_undone(running: House) -> None:
    store = running.services.schedules
    for name in store.names():
        store.delete(name, edit=Edit(actor="ada", now=utc_now()))
    stays(lambda: store.names() == [], 6, "nothing comes back")
