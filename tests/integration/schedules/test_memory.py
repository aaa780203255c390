"""Lists with filters that remember: they show what reading everything shows, whoever changes what,
and read little.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from redbeat import RedBeatSchedulerEntry
from redis import Redis

from scheduler.clock import utc_now
from scheduler.redbeat import quarantine
from scheduler.redbeat.codec import Meta, Raw, encode_meta
from scheduler.rules.model.edit import Edit
from scheduler.rules.model.spec import OnceWhen, Window
from scheduler.schedules.changes import ASLEEP
from scheduler.schedules.filters import State
from scheduler.schedules.list_cache import ListCache
from scheduler.schedules.reads import FIRST_CHUNK
from scheduler.schedules.store import ScheduleStore
from scheduler.services.services import Services
from scheduler.storage import keys
from tests.support.builders import JOB, NOON, a_spec, every
from tests.support.schedules.contents import plain, reads
from tests.support.valkey import PASSWORD, ValkeyServer

LATER = NOON + timedelta(hours=5, seconds=3)
STATES: list[State] = ["enabled", "disabled", "paused", "finished", "problem"]
FILTERS: list[dict[str, Any]] = [
    *({"state": state} for state in STATES),
    {"tag": "odd"},
    {"tag": "odd", "state": "disabled"},
    {"tag": "odd", "state": "problem"},
    {"job": JOB},
    {"job": "reports.other", "search": "s"},
]


@pytest.fixture
def remembering(store: ScheduleStore, services: Services) -> ScheduleStore:
    """A store with a memory, and some schedules of each kind."""
    for number in range(12):
        spec = a_spec(f"s{number:02}", enabled=number % 3 > 0, tags=["odd"] if number % 2 else [])
        store.create(spec, edit=Edit(actor="ada", now=NOON))
    store.create(
        a_spec("once", when=OnceWhen(at=NOON + timedelta(hours=1))),
        edit=Edit(actor="ada", now=NOON),
    )
    store.create(
        a_spec("few", when=every(60), window=Window(max_runs=3)), edit=Edit(actor="ada", now=NOON)
    )
    plain(services, "foreign")
    plain(services, "static")
    services.redis.sadd(keys.STATICS_SET, "static")
    store.set_enabled("static", False, edit=Edit(actor="ada", now=NOON))
    return ScheduleStore(services.redis, services.catalogue, ListCache(services.redis))


def shown(store: ScheduleStore, filters: dict[str, Any]) -> list[str]:
    return [line.name for line in store.page(**filters, now=LATER).items]


def all_shown(store: ScheduleStore) -> dict[str, list[str]]:
    return {str(filters): shown(store, filters) for filters in FILTERS}


def edit(services: Services) -> None:
    services.schedules.edit(
        "s01",
        a_spec("s01", enabled=False, tags=["even"]),
        revision=1,
        edit=Edit(actor="ada", now=NOON),
    )


def pause(services: Services) -> None:
    services.operations.pause("s02", reason="r", edit=Edit(actor="ada", now=NOON))


def delete(services: Services) -> None:
    services.schedules.delete("s03", edit=Edit(actor="ada", now=NOON))


def create(services: Services) -> None:
    services.schedules.create(
        a_spec("new", enabled=False, tags=["odd"]), edit=Edit(actor="ada", now=NOON)
    )


def save_by_redbeat(services: Services) -> None:
    entry = RedBeatSchedulerEntry.from_key(keys.entry("foreign"), app=services.celery)
    entry.enabled = False
    entry.save()


def make_by_redbeat(services: Services) -> None:
    plain(services, "another", enabled=False)


def delete_by_redbeat(services: Services) -> None:
    RedBeatSchedulerEntry.from_key(keys.entry("foreign"), app=services.celery).delete()


def damage_definition(services: Services) -> None:
    services.redis.hset(keys.entry("s04"), keys.DEFINITION_FIELD, "{")


def damage_memory(services: Services) -> None:
    meta = '{"last_run_at": {"__type__": "datetime", "year": 2026, "month": 13}}'
    services.redis.hset(keys.entry("s05"), keys.META_FIELD, meta)


def damage_and_mend(services: Services) -> None:
    text = services.redis.hget(keys.entry("s04"), keys.DEFINITION_FIELD)
    damage_definition(services)
    shown(services.schedules, {"state": "problem"})
    services.redis.hset(keys.entry("s04"), keys.DEFINITION_FIELD, str(text))


def take_the_key(services: Services) -> None:
    services.redis.delete(keys.entry("s04"))
    services.redis.set(keys.entry("s04"), "something else")


def fire(services: Services) -> None:
    for name in ("once", "few"):
        services.redis.hset(
            keys.entry(name), keys.META_FIELD, encode_meta(Meta(NOON + timedelta(hours=1), 3))
        )
        services.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry(name): ASLEEP})


def set_aside(services: Services) -> None:
    raw: Any = services.redis.hmget(
        keys.entry("s07"), keys.DEFINITION_FIELD, keys.META_FIELD, keys.EXTRA_FIELD
    )
    services.redis.hset(
        keys.ASIDE_HASH, "s07", quarantine.encode("the queue takes nothing", Raw(*raw), NOON)
    )
    services.redis.zadd(keys.SCHEDULE_ZSET, {keys.entry("s07"): ASLEEP})


def drop_from_code(services: Services) -> None:
    services.redis.srem(keys.STATICS_SET, "static")


def empty(services: Services) -> None:
    services.redis.flushdb()
    plain(services, "s01", enabled=False)


CHANGES: list[Callable[[Services], None]] = [
    edit,
    pause,
    delete,
    create,
    save_by_redbeat,
    make_by_redbeat,
    delete_by_redbeat,
    damage_definition,
    damage_memory,
    damage_and_mend,
    take_the_key,
    fire,
    set_aside,
    drop_from_code,
    empty,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_is_remembered_shows_what_reading_everything_shows(
    remembering: ScheduleStore, services: Services, change: Callable[[Services], None]
) -> None:
    before = all_shown(remembering)
    assert before == all_shown(services.schedules)
    change(services)
    after = all_shown(remembering)
    assert after == all_shown(services.schedules)
    assert (after == before) is (change is damage_and_mend)


def test_the_filters_find_what_they_name(remembering: ScheduleStore, services: Services) -> None:
    shown(remembering, {"state": "problem"})
    for change in (pause, damage_definition, damage_memory, fire, set_aside):
        change(services)
    found = {state: shown(remembering, {"state": state}) for state in STATES}
    assert found == {
        "enabled": ["few", "foreign", "once", "s01", "s02", "s07", "s08", "s10", "s11"],
        "disabled": ["s00", "s03", "s06", "s09", "static"],
        "paused": ["s02"],
        "finished": ["few", "once"],
        "problem": ["s04", "s05", "s07"],
    }
    assert shown(remembering, {"state": "problem", "tag": "odd"}) == ["s07"]


def test_what_has_not_changed_is_not_read_again(
    remembering: ScheduleStore, services: Services
) -> None:
    services.redis.zadd(
        keys.SCHEDULE_ZSET, {keys.entry(f"t{number:03}"): 0 for number in range(3 * FIRST_CHUNK)}
    )
    shown(remembering, {"state": "paused"})
    before = reads(services.redis)
    assert shown(remembering, {"state": "paused"}) == []
    assert reads(services.redis) == before
    pause(services)
    before = reads(services.redis)
    assert shown(remembering, {"state": "paused"}) == ["s02"]
    assert reads(services.redis) - before <= 4


def test_a_connection_that_is_cut_hides_nothing(
    remembering: ScheduleStore, services: Services, redis: Redis
) -> None:
    assert shown(remembering, {"state": "problem"}) == []
    redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    damage_definition(services)
    assert shown(remembering, {"state": "problem"}) == ["s04"]
    damage_memory(services)
    assert shown(remembering, {"state": "problem"}) == ["s04", "s05"]


def test_a_server_that_was_started_again_is_watched_again(
    remembering: ScheduleStore, services: Services, valkey: ValkeyServer
) -> None:
    assert shown(remembering, {"state": "problem"}) == []
    valkey.restart()
    damage_definition(services)
    assert shown(remembering, {"state": "problem"}) == ["s04"]
    damage_memory(services)
    assert shown(remembering, {"state": "problem"}) == ["s04", "s05"]


def test_a_server_that_does_not_tell_is_read_whole_and_that_is_said_once(
    remembering: ScheduleStore,
    services: Services,
    valkey: ValkeyServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    services.redis.execute_command(
        "ACL", "SETUSER", "plain", "on", f">{PASSWORD}", "~*", "&*", "+@all", "-client|tracking"
    )
    try:
        address = valkey.url.replace("redis://:", "redis://plain:")
        with Redis.from_url(address, decode_responses=True) as client:
            store = ScheduleStore(client, services.catalogue, ListCache(client))
            with caplog.at_level(logging.WARNING):
                damage_definition(services)
                assert shown(store, {"state": "problem"}) == ["s04"]
                damage_memory(services)
                assert shown(store, {"state": "problem"}) == ["s04", "s05"]
        assert (
            len(
                [
                    record
                    for record in caplog.records
                    if "does not report changed keys" in record.message
                ]
            )
            == 1
        )
    finally:
        services.redis.execute_command("ACL", "DELUSER", "plain")


def test_many_that_came_and_went_are_forgotten(store: ScheduleStore, services: Services) -> None:
    memory = ListCache(services.redis)
    remembering = ScheduleStore(services.redis, services.catalogue, memory)
    for letter in "abc":
        services.redis.zadd(
            keys.SCHEDULE_ZSET, {keys.entry(f"{letter}{number:04}"): 0 for number in range(900)}
        )
        assert len(remembering.page(state="problem", now=utc_now(), limit=10).items) == 10
        services.redis.delete(keys.SCHEDULE_ZSET)
    store.create(a_spec("one"), edit=Edit(actor="ada", now=NOON))
    assert shown(remembering, {"state": "enabled"}) == ["one"]
    assert len(memory) == 1
