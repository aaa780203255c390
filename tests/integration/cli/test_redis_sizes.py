"""The sizes of what Beatdesk keeps in Redis are shown, each with its bound."""

from scheduler.events.dead_letters import MOST_LETTERS
from scheduler.health.redis_sizes import redis_sizes, sizes
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import a_run_history


def test_each_collection_has_its_size_and_bound(services: Services) -> None:
    services.events.append_many(a_run_history())
    by_key = {size.key: size for size in sizes(services.redis, 1000)}
    assert (by_key[keys.EVENTS_STREAM].entries, by_key[keys.EVENTS_STREAM].bound) == (4, 1000)
    assert by_key[keys.DEAD_LETTERS_STREAM].bound == MOST_LETTERS
    part = redis_sizes(services)
    assert part.ok
    assert f"{keys.EVENTS_STREAM} 4 of 1000000" in part.summary
    assert part.facts[keys.LEASES_ZSET] == {"entries": 0, "bound": None}


def test_no_collection_is_left_out(services: Services) -> None:
    services.events.append_many(a_run_history())
    services.redis.hset(keys.DELIVERIES_HASH, "run", "1 1")
    services.redis.sadd(keys.STATICS_SET, "nightly")
    found = {size.key: size.entries for size in sizes(services.redis, 1000)}
    collections = {
        key for key in services.redis.scan_iter() if services.redis.type(key) != "string"
    }
    assert collections <= set(found)
    assert (found[keys.DELIVERIES_HASH], found[keys.STATICS_SET]) == (1, 1)
    assert keys.TOMBSTONES_HASH in found


def test_a_collection_over_its_bound_is_told(services: Services) -> None:
    services.events.append_many(a_run_history() * 300)
    services = Services(services.settings.model_copy(update={"stream_limit": 1000}))
    part = redis_sizes(services)
    assert not part.ok
    assert part.summary == f"1 key is over the bound: {keys.EVENTS_STREAM} 1200 of 1000"
    assert part.remedy
